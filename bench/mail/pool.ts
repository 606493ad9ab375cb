/** nodemailer's pool with no queue. Arguments: the SMTP port, connections, warm-up mails, mails. Prints mails a second as JSON. */

import { createTransport } from "nodemailer";
import { messageOf } from "../../services/mail/message.ts";
import { renderMail } from "../../services/mail/templates/render.ts";
import { DATA, TO } from "./message.ts";

const [port, connections, warmUp, mails] = Deno.args.map(Number) as [number, number, number, number];
const transport = createTransport({
  pool: true,
  host: "127.0.0.1",
  port,
  maxConnections: connections,
  maxMessages: Infinity,
  disableFileAccess: true,
  disableUrlAccess: true,
});
const rendered = renderMail("plain", DATA);
const send = (count: number) =>
  Promise.all(Array.from({ length: count }, () => {
    const id = crypto.randomUUID();
    const email = {
      id,
      to: TO,
      template: "plain",
      data: DATA,
      unsubscribeUrl: null,
      attempts: 1,
      ageMs: 0,
      traceparent: null,
    };
    return transport.sendMail(messageOf(email, rendered, "Notifyx <notifyx@localhost>", "localhost") as never);
  }));
await send(warmUp);
const began = performance.now();
await send(mails);
console.log(JSON.stringify({ perSecond: mails / ((performance.now() - began) / 1000) }));
transport.close();
Deno.exit(0);
