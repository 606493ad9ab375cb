/** A short round of the limits in `deno task test:mail`; and how many mails go out in a second. */

import { deepEqual, ok } from "node:assert/strict";
import { MINUTE, SECOND } from "../kit/time.ts";
import { mostAtOnce, SmtpSink } from "./helpers/smtp_sink.ts";
import { startSystem, until } from "./helpers/system.ts";
import { limits } from "./mail/limits.ts";
import { handOver } from "./mail/members.ts";

Deno.test("mail - the server counts one connection after another as one, however late it looks, and two as two", async () => {
  await using sink = await SmtpSink.start();
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port: sink.port });
  const rounds = 50;
  for (let round = 0; round < rounds; round++) {
    // Its end and the next one's beginning are looked at in one turn, the beginning mostly first.
    const client = await connect();
    await until("it is seen", () => sink.connections.size === round + 1);
    client.close();
  }
  deepEqual([mostAtOnce(sink.connections), mostAtOnce(new Set())], [1, 0]);
  using _one = await connect();
  using _two = await connect();
  await until("both are seen", () => sink.connections.size === rounds + 2);
  deepEqual(mostAtOnce(sink.connections), 2);
});

Deno.test({
  name: "mail - never more connections than are allowed, in all and of a node, while nodes come and go",
  // It takes a minute: deno task test:mail.
  ignore: Deno.env.get("NOTIFYX_TEST_MAIL") !== "whole",
  fn: () => limits({ mails: 2_000, nodes: 3, gone: 4 }),
});

Deno.test("mail - no more go out in a second than may, and who waits for that fails by no time limit", async () => {
  const perSecond = 2;
  const [all, ofNode] = [12, 10];
  await using sink = await SmtpSink.start();
  await using system = await startSystem({
    counts: { mail: 1, gateway: 0, notifications: 0, counter: 0, avatar: 0 },
    env: {
      NOTIFYX_SMTP_URL: sink.url,
      NOTIFYX_MAILS_PER_SECOND: `${perSecond}`,
      // Each of 12 has its turn every 6 s, which is longer than an attempt may take.
      NOTIFYX_MAIL_CONNECTIONS: `${all}`,
      NOTIFYX_MAIL_CONNECTIONS_PER_NODE: `${ofNode}`,
      NOTIFYX_MAIL_SECONDS: "5",
    },
  });
  const ids = await handOver(system, Array(2 * ofNode).fill("someone@example.org"));
  const sql = system.database("mail");
  await until("all are sent", async () => {
    const [row] = await sql`select count(*) as unsent from emails where status <> 'SENT'`;
    return row!.unsent === 0;
  }, MINUTE);
  deepEqual([...await sql`select distinct attempts from emails`], [{ attempts: 1 }]);
  // Between the first mail of a connection and its second is a turn; some of that may be lost on the way to here.
  const [first, last] = [sink.received[0]!.at, sink.received.at(-1)!.at];
  ok(last - first > all / perSecond * SECOND * 0.75, `${ids.length} mails in ${last - first} ms`);
});
