/** A short round of `deno task test:mail`. */

import { SECOND } from "../kit/time.ts";
import { chaos } from "./mail/chaos.ts";

Deno.test("mail - none that was accepted is lost while its nodes are killed and the SMTP server has a bad day", () =>
  chaos({ mails: 150, nodes: 3, overMs: 9 * SECOND, killEveryMs: 2 * SECOND }));
