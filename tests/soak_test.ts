/** A short soak; the long one is `deno task test:soak`. */

import { SECOND } from "../kit/time.ts";
import { soak } from "./soak/soak.ts";

Deno.test("soak - nothing is lost, twice or half done while processes die, freeze and stop", () =>
  soak({
    sends: 600,
    senders: 10,
    overMs: 16 * SECOND,
    everyMs: 2 * SECOND,
    freezeMs: 4 * SECOND,
    postgresShare: 0,
  }));
