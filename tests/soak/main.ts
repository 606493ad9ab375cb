/** `deno task test:soak`: 10,000 sends by 50 senders over two gateways while something fails every 2 s. */

import { MINUTE, SECOND } from "../../kit/time.ts";
import { soak } from "./soak.ts";

try {
  await soak({
    sends: 10_000,
    senders: 50,
    overMs: 4 * MINUTE,
    everyMs: 2 * SECOND,
    freezeMs: 15 * SECOND,
    postgresShare: 0.05,
  });
  console.log("1 passed, 0 failed");
  Deno.exit(0);
} catch (error) {
  console.error(error);
  console.log("0 passed, 1 failed");
  Deno.exit(1);
}
