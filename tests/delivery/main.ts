/**
 * `deno task test:delivery`: 200 clients, 2,000 notifications and everything that can befall them, with 20 seeds or the one given; before
 * the 20, 100 of 1,000 clients that don't read (`--slow`: these alone).
 */

import { SECOND } from "../../kit/time.ts";
import { Random } from "../soak/random.ts";
import { chaos } from "./chaos.ts";
import { slowClients } from "./slow.ts";

const SEEDS = 20;
const given = Deno.env.get("NOTIFYX_TEST_SEED");
const first = Random.seeded().seed;
const seeds = given ? [first] : Array.from({ length: SEEDS }, (_, nth) => (first + nth) >>> 0);
let failed = 0;
if (!given) {
  try {
    const { aloneMs, besideMs, slow, grownMiB, boundMiB, sent } = await slowClients();
    console.log(`${slow} of 1,000 clients were slow; of ${sent} notifications each client has its own, once, in order`);
    console.log(
      `p99: ${aloneMs} ms, and ${besideMs} ms beside slow ones; ${grownMiB} MiB more, of at most ${boundMiB}`,
    );
  } catch (error) {
    failed++;
    console.error("slow clients failed:", error);
  }
}
if (Deno.args.includes("--slow")) Deno.exit(failed === 0 ? 0 : 1);
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
console.log(`${seeds.length + (given ? 0 : 1) - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
