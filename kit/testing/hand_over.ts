/** A process that hands mails over until it is killed (mail_outbox_test.ts). */

import { getLogger } from "@logtape/logtape";
import { connect } from "../database.ts";
import { MailOutbox } from "../mail_outbox.ts";

const url = Deno.env.get("TEST_MAIL")!;
await new MailOutbox({
  sql: connect(Deno.env.get("TEST_DATABASE")!, "test", 4),
  directory: { instances: () => [{ url } as never] },
  secret: Deno.env.get("TEST_SECRET")!,
  log: getLogger("test"),
  stopping: new AbortController().signal,
}).start();
