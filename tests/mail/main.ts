/**
 * `deno task test:mail`: 10,000 mails through four nodes that come and go, within their limits; and 1,000 while one is killed every 2 s
 * and the SMTP server has a bad day. NOTIFYX_TEST_SEED repeats one. The second is run whatever came of the first.
 */

import { SECOND } from "../../kit/time.ts";
import { chaos } from "./chaos.ts";
import { limits } from "./limits.ts";

const PARTS = [
  () => limits({ mails: 10_000, nodes: 4, gone: 12 }),
  () => chaos({ mails: 1_000, nodes: 4, overMs: 60 * SECOND, killEveryMs: 2 * SECOND }),
];

let failed = 0;
for (const part of PARTS) {
  try {
    await part();
  } catch (error) {
    console.error(error);
    failed++;
  }
}
console.log(`${PARTS.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
