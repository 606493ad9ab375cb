/** Notifications by mail, through the whole system: who asks for them gets them, until one click ends them, whatever dies meanwhile. */

import assert from "node:assert/strict";
import { delay } from "../kit/time.ts";
import { mailId } from "../services/notifications/mail/mail_ids.ts";
import { User } from "./helpers/client.ts";
import { insist } from "./helpers/keyed_send.ts";
import { mailsSettled } from "./helpers/mails.ts";
import { SmtpSink } from "./helpers/smtp_sink.ts";
import { metric, startSystem, until } from "./helpers/system.ts";

const PREFER = `mutation ($id: ID!, $preference: MailPreference!, $every: DigestEvery, $afterMinutes: Int) {
  setMailPreference(topicId: $id, preference: $preference, every: $every, afterMinutes: $afterMinutes) {
    mailPreference { preference every afterMinutes }
  }
}`;
const LIMIT_MS = 30_000;

Deno.test("mail preferences - from the choice to the mail and the click that ends it", async (t) => {
  await using sink = await SmtpSink.start();
  await using system = await startSystem({ counts: { mail: 1 }, env: { NOTIFYX_SMTP_URL: sink.url } });
  const [ann, bob, carl] = await Promise.all(Array.from({ length: 3 }, () => User.register(system))) as [
    User,
    User,
    User,
  ];
  const name = `news <b>&${crypto.randomUUID()}`;
  const topic = await ann.createTopic(name);
  for (const user of [bob, carl]) await user.join(topic);
  const sql = system.database("notifications");
  const of = (user: User) => sink.received.filter(({ to }) => to[0] === user.email);
  const prefer = async (user: User, variables: Record<string, unknown>) =>
    (await user.get(PREFER, { id: topic, ...variables })).setMailPreference.mailPreference;

  await t.step("a choice is the viewer's own; wrong ones are refused, each with its code", async () => {
    const field = "mailPreference { preference every afterMinutes }";
    const preference = async (user: User) =>
      (await user.get(`{ topic(id: "${topic}") { ${field} } }`)).topic.mailPreference;
    assert.deepEqual(await preference(bob), { preference: "NEVER", every: "DAY", afterMinutes: 10 });
    const chosen = await prefer(bob, { preference: "DIGEST", every: "HOUR", afterMinutes: null });
    assert.deepEqual(chosen, { preference: "DIGEST", every: "HOUR", afterMinutes: 10 });
    assert.deepEqual(await preference(bob), chosen);
    assert.deepEqual(await preference(carl), { preference: "NEVER", every: "DAY", afterMinutes: 10 });
    const page = await bob.get(
      `{ mailPreferences(first: 1) { edges { node { name ${field} } } pageInfo { hasNextPage } } }`,
    );
    assert.deepEqual(page.mailPreferences, {
      edges: [{ node: { name, mailPreference: chosen } }],
      pageInfo: { hasNextPage: false },
    });
    assert.equal((await carl.get("{ mailPreferences { edges { cursor } } }")).mailPreferences.edges.length, 0);
    const code = (variables: Record<string, unknown>, user = bob) =>
      user.code(PREFER, { id: topic, preference: "ALWAYS", ...variables });
    assert.equal(await code({ id: crypto.randomUUID() }), "NOT_FOUND");
    assert.equal(await code({ afterMinutes: -1 }), "BAD_USER_INPUT");
    assert.equal(await code({ preference: "SOMETIMES" }), "BAD_USER_INPUT");
    const nobody = new User(bob.url, "", "", "");
    assert.equal(await nobody.code("{ mailPreferences { edges { cursor } } }"), "UNAUTHENTICATED");
    assert.equal(await bob.code("{ mailPreferences(first: 0) { edges { cursor } } }"), "BAD_USER_INPUT");
  });

  await t.step("ALWAYS: one mail; a click in the mail program ends them, a look at the page doesn't", async () => {
    for (const user of [bob, carl]) await prefer(user, { preference: "ALWAYS" });
    const { id } = await ann.send(topic, "Soup <i>is</i> ready");
    await until("the mails", () => of(bob).length === 1 && of(carl).length === 1, LIMIT_MS);
    const { source, messageId } = of(bob)[0]!;
    assert.equal(messageId, `<${mailId("notification", id, bob.id)}@localhost>`);
    const headers = source.slice(0, source.indexOf("\r\n\r\n")).replaceAll(/\r\n[ \t]+/g, " ");
    const link = /^List-Unsubscribe: <(.*)>$/m.exec(headers)![1]!;
    assert.match(headers, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click$/m);
    assert.ok(link.startsWith(`${system.url()}/unsubscribe/`), link);
    const page = await fetch(link);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /news &#60;b&#62;&#38;/);
    assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
    assert.equal((await fetch(`${link}0`)).status, 404);

    const clicked = await fetch(link, {
      method: "POST",
      redirect: "manual",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: "https://mail.example" },
      body: "List-Unsubscribe=One-Click",
    });
    assert.equal(clicked.status, 200);
    assert.match(await clicked.text(), /You are unsubscribed/);
    await ann.send(topic, "Soup is cold");
    await until("carl's next", () => of(carl).length === 2, LIMIT_MS);
    await mailsSettled(system, LIMIT_MS);
    assert.equal(of(bob).length, 1);
    const { topic: after } = await bob.get(`{ topic(id: "${topic}") { subscribed mailPreference { preference } } }`);
    assert.deepEqual(after, { subscribed: true, mailPreference: { preference: "NEVER" } });
  });

  await t.step("DIGEST: one for what wasn't acknowledged by then", async () => {
    await prefer(bob, { preference: "DIGEST", every: "HOUR" });
    await prefer(carl, { preference: "NEVER" });
    const { id } = await ann.send(topic, "seen in time");
    for (const message of ["first", "second"]) await ann.send(topic, message);
    await bob.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: [id] });
    await mailsSettled(system, LIMIT_MS);
    assert.equal(of(bob).length, 1);
    await sql`update digest_due set due_at = now()`;
    await until("the digest", () => of(bob).length === 2, LIMIT_MS);
    const [digest] = await system.database("mail")`select data from emails where template = 'digest'`;
    const { entries, more, every } = digest!.data;
    assert.deepEqual(
      entries.map((
        entry: { topic: string; from: string; message: string },
      ) => [entry.topic, entry.from, entry.message]),
      [
        [name, ann.email, "first"],
        [name, ann.email, "second"],
      ],
    );
    assert.deepEqual([more, every], [0, "hour"]);
    await mailsSettled(system, LIMIT_MS);
    assert.equal(of(bob).length, 2);
  });

  await t.step("while auth doesn't answer, what is due waits, and is told of", async () => {
    await prefer(bob, { preference: "ALWAYS" });
    system.signal("SIGSTOP", "auth");
    try {
      await ann.send(topic, "patience");
      const { url } = system.node("notifications");
      await until("it is due", async () => await metric(url, "notifyx_mail_due") === 1);
      assert.match(await (await fetch(`${url}/dashboard`)).text(), /Notifications by mail/);
      assert.equal(of(bob).length, 2);
    } finally {
      system.signal("SIGCONT", "auth");
    }
    await until("the mail", () => of(bob).length === 3, LIMIT_MS);
    await mailsSettled(system, LIMIT_MS);
    assert.equal(await metric(system.node("notifications").url, "notifyx_mail_due"), 0);
  });
});

Deno.test({
  name: "mail preferences - nodes are killed and frozen: each notification is one mail for each who wants it",
  // It takes a minute: deno task test:mail.
  ignore: Deno.env.get("NOTIFYX_TEST_MAIL") !== "whole",
  fn: killedAndFrozen,
});

async function killedAndFrozen(): Promise<void> {
  await using sink = await SmtpSink.start();
  await using system = await startSystem({
    counts: { mail: 1, notifications: 2 },
    env: { NOTIFYX_SMTP_URL: sink.url, NOTIFYX_LIMITS: "off" },
  });
  const [ann, ...people] = await Promise.all(Array.from({ length: 7 }, () => User.register(system))) as [
    User,
    ...User[],
  ];
  const topic = await ann.createTopic();
  for (const [nth, user] of people.entries()) {
    await user.join(topic);
    // One wants none.
    if (nth > 0) {
      await user.get(PREFER, { id: topic, preference: nth % 2 === 0 ? "ALWAYS" : "WHEN_AWAY", afterMinutes: 0 });
    }
  }
  let sending = true;
  const sent: string[] = [];
  const publishing = (async () => {
    while (sending) {
      const send = { token: ann.token, topicId: topic, message: `number ${sent.length}`, key: crypto.randomUUID() };
      const told = await insist([system.url()], send, LIMIT_MS);
      assert.ok("id" in told, JSON.stringify(told));
      sent.push(told.id);
    }
  })();
  for (let fault = 0; fault < 6; fault++) {
    const node = fault % 2;
    const { process } = system.node("notifications", node);
    const before = sent.length;
    await until("some are sent", () => sent.length > before + 5, LIMIT_MS);
    if (fault % 3 === 2) {
      system.signal("SIGSTOP", "notifications", node);
      // Longer than a statement's lock, shorter than a lease.
      await delay(1_500);
      system.signal("SIGCONT", "notifications", node);
    } else {
      const { starts } = process;
      system.signal("SIGKILL", "notifications", node);
      await until("it is started again", () => process.starts > starts, LIMIT_MS);
      await system.allReady();
    }
  }
  sending = false;
  await publishing;
  await mailsSettled(system, LIMIT_MS);

  const wanted = people.slice(1).flatMap((user) => sent.map((id) => mailId("notification", id, user.id)));
  const rows = await system.database("mail")`select id from emails`;
  assert.deepEqual(rows.map(({ id }) => id).sort(), [...wanted].sort());
  assert.deepEqual([...new Set(sink.ids())].sort(), [...wanted].sort());
  console.log(`${sent.length} notifications, ${wanted.length} mails, ${sink.received.length} received`);
}
