/** Links in mails about an account, through the whole system: from the request to the mail, from its link to what it does. */

import assert from "node:assert/strict";
import { withTimeLimit } from "../kit/time.ts";
import { graphql, User } from "./helpers/client.ts";
import { linkIn, mailsTo } from "./helpers/mails.ts";
import { SmtpSink } from "./helpers/smtp_sink.ts";
import { metric, startSystem, until } from "./helpers/system.ts";

const REQUEST = "mutation ($email: String!) { requestPasswordReset(email: $email) }";
const RESET = "mutation ($token: String!, $password: String!) { resetPassword(token: $token, password: $password) }";
const LOGIN = "mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { token } }";
const SEND = 'mutation { sendEmail(to: "bob@example.com", subject: "Soup", message: "Is ready.") { id } }';
const PREFER = "mutation ($id: ID!) { setMailPreference(topicId: $id, preference: ALWAYS) { id } }";
const LIMIT_MS = 30_000;

/** Posts a page's form as a browser does; the text of the page that answers. */
async function post(url: string, form: Record<string, string>): Promise<string> {
  // The page has no referrer, and so no origin for its form.
  const response = await fetch(url, { method: "POST", headers: { origin: "null" }, body: new URLSearchParams(form) });
  return await response.text();
}

Deno.test("account - a forgotten password is replaced: from the request to the mail that says so", async (t) => {
  const lines: string[] = [];
  await using sink = await SmtpSink.start();
  await using system = await startSystem({
    counts: { mail: 1 },
    env: { NOTIFYX_SMTP_URL: sink.url, NOTIFYX_LOG_LEVEL: "debug" },
    onLine: (_, line) => void lines.push(line),
  });
  const ann = await User.register(system);
  const anonymous = (query: string, variables: unknown) => graphql(system.graphqlUrl, query, variables);
  const code = async (query: string, variables: unknown) =>
    (await anonymous(query, variables)).errors?.[0]?.extensions.code;
  const tokens: string[] = [];

  await t.step("who has an account and who has none get the same answer, and one of them a mail", async () => {
    for (const email of [ann.email.toUpperCase(), "nobody@example.com"]) {
      assert.deepEqual((await anonymous(REQUEST, { email })).data, { requestPasswordReset: true });
    }
    const [mail] = await mailsTo(sink, ann.email, 1);
    const { url, token } = linkIn(mail);
    assert.equal(url, `${system.url()}/account/reset?token=${token}`);
    assert.match(token, /^[\w-]{43}$/);
    tokens.push(token);
    assert.equal(sink.received.length, 1);
  });

  await t.step("the token gives a new password, ends all sessions and their sockets, and says so by mail", async () => {
    using socket = await ann.connect();
    const [token] = tokens;
    assert.equal(await code(RESET, { token, password: "short" }), "BAD_USER_INPUT");
    assert.deepEqual((await anonymous(RESET, { token, password: "battery staple" })).data, { resetPassword: true });
    assert.equal((await withTimeLimit("the close", LIMIT_MS, socket.closed)).code, 4403);
    await until("the session has ended", async () => await ann.code("{ me { id } }") === "UNAUTHENTICATED");
    assert.equal(await code(LOGIN, { email: ann.email, password: "correct horse" }), "UNAUTHENTICATED");
    assert.equal(await code(LOGIN, { email: ann.email, password: "battery staple" }), undefined);
    const [, told] = await mailsTo(sink, ann.email, 2);
    assert.match(told!, /^The password of your account at Notifyx was replaced/);
    assert.equal(await code(RESET, { token, password: "battery staple 2" }), "NOT_FOUND");
  });

  await t.step("the link's page does the same; who only looks at it uses nothing up", async () => {
    await anonymous(REQUEST, { email: ann.email });
    const { url, token } = linkIn((await mailsTo(sink, ann.email, 3))[2]);
    tokens.push(token);
    for (let nth = 0; nth < 3; nth++) {
      const page = await fetch(url);
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; .*form-action 'self'/);
      assert.equal(page.headers.get("referrer-policy"), "no-referrer");
      assert.match(await page.text(), /<form method="post" action="reset">/);
    }
    const action = new URL("reset", url).href;
    const password = "third time lucky";
    assert.match(await post(action, { token, password, repeated: "x" }), /The two passwords are not the same/);
    assert.match(await post(action, { token, password, repeated: password }), /Your password is changed/);
    assert.match(await post(action, { token, password, repeated: password }), /This link is not known/);
    assert.equal(await code(LOGIN, { email: ann.email, password }), undefined);
    await mailsTo(sink, ann.email, 4);
  });

  await t.step("a request too many is RATE_LIMITED, whoever's the address is", async () => {
    await system.database("auth")`update account_rates set requests = 5`;
    for (const email of [ann.email, "nobody@example.com"]) {
      const { errors } = await anonymous(REQUEST, { email });
      assert.equal(errors?.[0]?.extensions.code, "RATE_LIMITED");
      assert.ok(errors[0]!.extensions.retryAfterSeconds > 0);
    }
    // The gateway counts each field, too, as it does those that sign in.
    const many = Array.from({ length: 21 }, (_, nth) => `a${nth}: requestPasswordReset(email: "carl@example.com")`);
    assert.equal(await code(`mutation { ${many.join(" ")} }`, {}), "RATE_LIMITED");
    assert.equal(
      (await system.database("auth")`select from account_rates where email_key = 'carl@example.com'`).length,
      0,
    );
  });

  await t.step("no line of any process has a token in it", () => {
    assert.ok(lines.length > 10);
    for (const token of tokens) assert.deepEqual(lines.filter((line) => line.includes(token)), []);
  });
});

Deno.test("account - an address is confirmed, where that is asked: until then it gets no mail but the link's", async (t) => {
  await using sink = await SmtpSink.start();
  await using system = await startSystem({
    counts: { mail: 1 },
    env: { NOTIFYX_SMTP_URL: sink.url, NOTIFYX_CONFIRM_ADDRESSES: "on" },
  });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const notifications = system.database("notifications");
  const topic = await bob.createTopic();
  await ann.join(topic);
  await ann.get(PREFER, { id: topic });
  let token = "";

  await t.step("the link comes with the registration; no other mail does, nor is any sent in their name", async () => {
    const [mail] = await mailsTo(sink, ann.email, 1);
    token = linkIn(mail).token;
    assert.match(mail!, /registered at Notifyx with this address/);
    assert.deepEqual((await ann.get("{ me { addressConfirmed } }")).me, { addressConfirmed: false });
    const { errors } = await ann.ask(SEND);
    assert.deepEqual([errors?.[0]?.extensions.code, errors?.[0]?.message], [
      "FORBIDDEN",
      "confirm your e-mail address first, by the link that was sent to it; requestAddressConfirmation sends another",
    ]);
    await bob.send(topic, "not by mail");
    await until("it is dropped", async () => {
      return await metric(system.url("notifications"), 'notifyx_mail_dropped_total{reason="no_address"}') === 1;
    }, LIMIT_MS);
    assert.deepEqual(await ann.inbox(), ["not by mail"]);
    assert.equal((await notifications`select from mail_outbox`).length, 0);
    assert.equal((await system.database("mail")`select from emails where template <> 'confirm'`).length, 0);
  });

  await t.step("another link ends the first; its page confirms, and all mail goes at once", async () => {
    await ann.get("mutation { requestAddressConfirmation }");
    const { url, token: newer } = linkIn((await mailsTo(sink, ann.email, 2))[1]);
    const confirm = "mutation ($token: String!) { confirmAddress(token: $token) }";
    assert.equal((await graphql(ann.url, confirm, { token })).errors?.[0]?.extensions.code, "NOT_FOUND");
    assert.match(await (await fetch(url)).text(), /Is this your address\?/);
    assert.deepEqual((await ann.get("{ me { addressConfirmed } }")).me, { addressConfirmed: false });
    assert.match(await post(new URL("confirm", url).href, { token: newer }), /Your address is confirmed/);
    assert.deepEqual((await ann.get("{ me { addressConfirmed } }")).me, { addressConfirmed: true });
    await ann.get(SEND);
    await mailsTo(sink, "bob@example.com", 1);
    await bob.send(topic, "by mail as well");
    const [, , mail] = await mailsTo(sink, ann.email, 3);
    assert.match(mail!, /by mail as well/);
    assert.equal(await bob.code(SEND), "FORBIDDEN");
  });
});
