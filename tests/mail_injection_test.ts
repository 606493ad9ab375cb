/**
 * What people write goes into mails as text and as nothing else: whatever breaks lines, looks encoded, or is HTML, in every field that ends
 * in a mail, is refused or stands there as it was written. Read back from what arrived by SMTP, and from the inbox's pages.
 */

import { deepEqual, equal, ok } from "node:assert/strict";
import { mailId } from "../services/notifications/mail/mail_ids.ts";
import { User } from "./helpers/client.ts";
import { mailsSettled } from "./helpers/mails.ts";
import { arrived, readBack, structure, views } from "./helpers/received.ts";
import { startSystem, until } from "./helpers/system.ts";

const SEND = `mutation ($to: String!, $subject: String!, $message: String!) {
  sendEmail(to: $to, subject: $subject, message: $message) { id subject }
}`;
const SENT = "query ($id: ID!) { email(id: $id) { subject status } }";
const PREFER = `mutation ($id: ID!, $preference: MailPreference!) {
  setMailPreference(topicId: $id, preference: $preference) { id }
}`;
const REGISTER = 'mutation ($email: String!) { register(email: $email, password: "correct horse") { token } }';
const CREATE = "mutation ($name: String!) { createTopic(name: $name) { id } }";
const LIMIT_MS = 60_000;

/** What would begin a line of its own somewhere. */
const BREAKS = ["\r\n", "\r", "\n", "\n\r", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1b[2K\r", "\x7f", "\x00"];
const BROKEN = BREAKS.flatMap((
  end,
) => [`a${end}Bcc: victim@example.org`, `a${end}${end}<p>body</p>`, `a${end}.${end}QUIT${end}`]);
const UNBROKEN = [
  "=?utf-8?Q?a=0D=0ABcc:_victim@example.org?=",
  "=?utf-8?B?YQ0KQmNjOiB2aWN0aW1AZXhhbXBsZS5vcmc=?= ö",
  "=?us-ascii?Q?a?= =?utf-8?Q?=00?=",
  "=?",
  "%0d%0aBcc: victim@example.org",
  "\\r\\nBcc: victim@example.org",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</pre></bdi></title></style></iframe><script>alert(1)</script>",
  "--><style>*{display:none}</style><!--",
  "&lt;img src=x onerror=alert(1)&gt;",
  "\uE000topic\uE001\uE000unsubscribe\uE001",
  "${topic} {{message}} $& $1",
  "\u202etxt.elif\u2066",
  ".",
  "..",
  "--boundary--",
];
const PLAIN_HEAD = ["From", "To", "Subject", "Message-ID", "Date", "MIME-Version", "Content-Type"];
const LIST_HEAD = ["List-Unsubscribe", "List-Unsubscribe-Post", ...PLAIN_HEAD];

/** Readers don't see these, and templates leave them out (services/mail/templates/text.ts). */
// deno-lint-ignore no-control-regex -- that is what it is about
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** As a template shows it in one line. */
function line(text: string): string {
  return text.replace(/[\r\v\f\x85\u2028\u2029]/g, "\n").replace(UNSEEN, "").replace(/\s+/g, " ").trim();
}

Deno.test("mail injection - whatever people write is refused, or arrives as the text that it is", async (t) => {
  await using system = await startSystem({ counts: { mail: 1 }, env: { NOTIFYX_LIMITS: "off" } });
  const ann = await User.register(system);
  const good = { to: "reader@example.org", subject: "Soup", message: "It is ready." };
  const send = async (part: Partial<typeof good>): Promise<{ id: string; subject: string } | string> => {
    const { data, errors } = await ann.ask(SEND, { ...good, ...part });
    return errors?.[0]?.extensions.code ?? data.sendEmail;
  };
  const sent = async (part: Partial<typeof good>) => {
    const answer = await send(part);
    if (typeof answer === "string") throw new Error(`${JSON.stringify(part)}: ${answer}`);
    return answer;
  };
  const refused = (parts: Partial<typeof good>[]) =>
    Promise.all(parts.map(async (part) => equal(await send(part), "BAD_USER_INPUT", JSON.stringify(part))));
  const usual = await sent({});
  await mailsSettled(system, LIMIT_MS);
  const usualViews = await views(system, (await arrived(system)).get(usual.id)!);

  await t.step("sendEmail's subject: line breaks are refused, the rest is a subject of these very words", async () => {
    await refused(BROKEN.map((subject) => ({ subject })));
    const sends = await Promise.all(UNBROKEN.map((subject) => sent({ subject })));
    deepEqual(sends.map(({ subject }) => subject), UNBROKEN);
    await mailsSettled(system, LIMIT_MS);
    const mails = await arrived(system);
    for (const { id, subject } of sends) {
      const mail = mails.get(id)!;
      deepEqual(mail.recipients, [good.to]);
      equal((await readBack(mail, PLAIN_HEAD)).subject, line(subject) || "(no subject)", JSON.stringify(subject));
      deepEqual((await ann.get(SENT, { id })).email, { subject: line(subject), status: "SENT" });
      deepEqual(await views(system, mail), usualViews);
    }
  });

  await t.step("sendEmail's message: whatever is in it stays in the body, and in one mail", async () => {
    const before = (await arrived(system)).size;
    const [storable, others] = withoutNul([...BROKEN, ...UNBROKEN]);
    await refused(others.map((message) => ({ message })));
    const sends = await Promise.all(
      storable.map(async (message) => ({ message, id: (await sent({ message })).id })),
    );
    await mailsSettled(system, LIMIT_MS);
    const mails = await arrived(system);
    equal(mails.size, before + sends.length);
    for (const { id, message } of sends) {
      const mail = mails.get(id)!;
      deepEqual(mail.recipients, [good.to]);
      const { text, subject } = await readBack(mail, PLAIN_HEAD);
      deepEqual([line(text), subject], [line(message), good.subject], JSON.stringify(message));
      deepEqual(await views(system, mail), usualViews);
    }
  });

  await t.step("sendEmail's recipient: one address, which is the envelope's, or refused", async () => {
    const texts = [...BROKEN, ...UNBROKEN, "a>\r\nRCPT TO:<victim@example.org", "a, victim@example.org"];
    const addresses = texts.flatMap((text) => [
      `${text}@example.org`,
      `"${text}"@example.org`,
      `a@example.org${text}`,
      `a@${text}.org`,
      `A <a@example.org> ${text}`,
    ]);
    const [fine, others] = partition(addresses, (to) => /^a@\uE000|^--boundary/.test(to));
    await refused(others.map((to) => ({ to })));
    fine.push("o'neil&lt@example.org", "a|b`{c}%d!e#f$g*h/i^j~k@example.org", "--help@example.org");
    const sends = await Promise.all(fine.map(async (to) => ({ to, id: (await sent({ to })).id })));
    await mailsSettled(system, LIMIT_MS);
    const mails = await arrived(system);
    for (const { id, to } of sends) {
      const mail = mails.get(id)!;
      deepEqual(mail.recipients, [to]);
      await readBack(mail, PLAIN_HEAD);
      deepEqual(await views(system, mail), usualViews);
    }
  });

  await t.step("a user's address is one of mails, or refused", async () => {
    const addresses = BROKEN.flatMap((
      text,
    ) => [`"${text}"@example.org`, `a@example.org${text}`, `${text}@example.org`]);
    addresses.push("=?utf-8?q?x=40evil.example=3e=00?=@example.org", "a\u202eb@example.org", '"a@b"@example.org');
    for (const email of addresses) equal(await ann.code(REGISTER, { email }), "BAD_USER_INPUT", JSON.stringify(email));
  });

  await t.step("a topic's name, a notification's message and who it is from: text, in mails and digests", async () => {
    const bob = await User.register(system, "o'neil&lt|{from}@example.org");
    const [each, summed] = await Promise.all([User.register(system), User.register(system)]);
    const [storable, others] = withoutNul(["Soup is ready.", ...BROKEN, ...UNBROKEN]);
    for (const name of others) equal(await bob.code(CREATE, { name }), "BAD_USER_INPUT", JSON.stringify(name));
    const sends = await Promise.all(storable.map(async (message, nth) => {
      const name = `${nth} ${message}`;
      const topic = await bob.createTopic(name);
      for (const [user, preference] of [[each, "ALWAYS"], [summed, "DIGEST"]] as const) {
        await user.join(topic);
        await user.get(PREFER, { id: topic, preference });
      }
      return { name, message, id: (await bob.send(topic, message)).id };
    }));
    await mailsSettled(system, LIMIT_MS);
    const mails = await arrived(system);
    const of = ({ id }: { id: string }) => mails.get(mailId("notification", id, each.id))!;
    const notificationViews = await views(system, of(sends[0]!));
    for (const send of sends) {
      const [name, message] = [line(send.name), line(send.message)];
      const mail = of(send);
      deepEqual(mail.recipients, [each.email]);
      const { subject, text } = await readBack(mail, LIST_HEAD);
      // Of a long name the subject has the beginning.
      ok(`${name}: ${message}`.startsWith(subject.replace(/…(: .*)?$/, "")) && subject.length > 2, subject);
      ok(line(text).startsWith(`${name} ${message}`.trim()) && text.includes(bob.email), text);
      deepEqual(await views(system, mail), notificationViews);
    }

    await system.database("notifications")`update digest_due set due_at = now()`;
    const summary = async () => [...(await arrived(system)).values()].find((one) => one.recipients[0] === summed.email);
    await until("the digest", async () => await summary() !== undefined, LIMIT_MS);
    const { text, html } = await readBack((await summary())!, LIST_HEAD);
    const [row] = await system.database("mail")`select data from emails where template = 'digest'`;
    ok(row!.data.entries.length > 10, `${row!.data.entries.length} entries`);
    for (const { topic, from, message } of row!.data.entries) {
      for (const one of [topic, from, message]) ok(line(text).includes(line(one)), JSON.stringify(one));
    }
    ok(!/<(script|img|iframe)/.test(html) && html.split("<style").length === 2, "the digest has tags of its messages");
  });

  await t.step("the list shows all of them, each as one entry of the same form", async () => {
    const page = await (await fetch(`${system.url("mail")}/inbox`)).text();
    const entries = page.split("<li>").slice(1).map((entry) => structure(entry.split("</li>")[0]!));
    equal(entries.length, (await arrived(system)).size);
    equal(new Set(entries).size, 1);
    equal(page.split("<script").length, 2);
  });
});

/** PostgreSQL can't hold a NUL: who can, and who can't be stored. */
function withoutNul(texts: readonly string[]): [string[], string[]] {
  return partition(texts, (text) => !text.includes("\0"));
}

function partition(texts: readonly string[], holds: (text: string) => boolean): [string[], string[]] {
  return [texts.filter(holds), texts.filter((text) => !holds(text))];
}
