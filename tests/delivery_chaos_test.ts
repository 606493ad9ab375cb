/** A short round of `deno task test:delivery`. */

import { SECOND } from "../kit/time.ts";
import { chaos } from "./delivery/chaos.ts";
import { Random } from "./soak/random.ts";

Deno.test("delivery - each client has each of its own once, in order, while all is cut off, killed and drained", async () => {
  const random = Random.seeded();
  console.log(`seed ${random.seed}: NOTIFYX_TEST_SEED=${random.seed} does the same`);
  const { resumes } = await chaos(random, {
    clients: 60,
    topics: 6,
    notifications: 300,
    senders: 8,
    overMs: 7 * SECOND,
    faults: 4,
    cuts: 100,
    moves: 30,
  });
  console.log(`resumed from the window ${resumes.window}, from the database ${resumes.database} times`);
});
