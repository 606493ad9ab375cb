/** Mails on their way through the whole system. */

import assert from "node:assert/strict";
import { simpleParser } from "mailparser";
import type { SmtpSink } from "./smtp_sink.ts";
import { type System, until } from "./system.ts";

/** Waits until nothing is on its way: all that was sent until now has its mails, which have ended, or will have none. */
export async function mailsSettled(system: System, limitMs: number): Promise<void> {
  const [notifications, mail] = [system.database("notifications"), system.database("mail")];
  await until("all mails have ended", async () => {
    const [left] = await notifications`select (select count(*) from mail_due where due_at <= now()) +
      (select count(*) from digest_due where due_at <= now()) + (select count(*) from mail_outbox) +
      (select h.position - m.position from feed_head h, mail_head m) as count`;
    const [unsent] = await mail`select count(*) from emails where status in ('QUEUED', 'SENDING')`;
    return left!.count === 0 && unsent!.count === 0;
  }, limitMs);
}

/** The texts of the mails that `email` got, in their order, once there are `count`. @throws Error where there are more */
export async function mailsTo(sink: SmtpSink, email: string, count: number, limitMs = 30_000): Promise<string[]> {
  const to = () => sink.received.filter(({ to }) => to[0] === email);
  await until(`${count} mails to ${email}`, () => to().length >= count, limitMs);
  assert.equal(to().length, count);
  return await Promise.all(to().map(async ({ source }) => (await simpleParser(source)).text!));
}

/** The link in a mail about an account, and its token. */
export function linkIn(text: string | undefined): { url: string; token: string } {
  const url = /^https?:\S+$/m.exec(text!)![0];
  return { url, token: new URL(url).searchParams.get("token")! };
}
