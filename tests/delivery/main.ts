/** `deno task test:delivery`: 200 clients, 2,000 notifications and everything that can befall them, with 20 seeds or the one given. */

import { SECOND } from "../../kit/time.ts";
import { Random } from "../soak/random.ts";
import { chaos } from "./chaos.ts";

const SEEDS = 20;
const given = Deno.env.get("NOTIFYX_TEST_SEED");
const first = Random.seeded().seed;
const seeds = given ? [first] : Array.from({ length: SEEDS }, (_, nth) => (first + nth) >>> 0);
let failed = 0;
console.log(`seeds from ${first}; NOTIFYX_TEST_SEED=SEED repeats one`);
console.log(
  "seed       faults (gateways killed/drained, notifications, PostgreSQL)  sent  received  resumed  window  database  s",
);
for (const seed of seeds) {
  try {
    const { faults, sent, received, resumed, resumes, ms } = await chaos(new Random(seed), {
      clients: 200,
      topics: 10,
      notifications: 2_000,
      senders: 16,
      overMs: 12 * SECOND,
      faults: 8,
      cuts: 400,
      moves: 100,
    });
    const kinds = ["gateway killed", "gateway drained", "notifications killed", "PostgreSQL killed"];
    const befell = kinds.map((kind) => faults[kind] ?? 0).join("/");
    const columns = [befell, sent, received, resumed, resumes.window, resumes.database, (ms / SECOND).toFixed(1)];
    console.log(`${`${seed}`.padEnd(10)} ${columns.join("  ")}`);
  } catch (error) {
    failed++;
    console.log(`${`${seed}`.padEnd(10)} failed`);
    console.error(error);
  }
}
console.log(`${seeds.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
