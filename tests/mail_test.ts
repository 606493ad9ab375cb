/** Mail through the gateway and by the members' route, on two nodes: what is accepted arrives, and its sender sees what became of it. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { graphql, type Socket, User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { type Reply, SmtpSink } from "./helpers/smtp_sink.ts";
import { SECRET, startSystem, type System, until } from "./helpers/system.ts";

const SEND = `mutation ($to: String!, $subject: String!, $message: String!) {
  sendEmail(to: $to, subject: $subject, message: $message) { id to subject status attempts error createdAt }
}`;
const EMAIL = "query ($id: ID!) { email(id: $id) { status attempts error subject } }";
const LIVE = "subscription ($id: ID!) { emailUpdated(id: $id) { status attempts error } }";

const NOTIFICATION = {
  topic: "lunch",
  from: "ann@example.org",
  message: "Soup is ready.",
  at: "2026-01-01T12:00:00Z",
  unsubscribeUrl: "https://example.org/unsubscribe/abc",
};
const REFUSAL = "5.1.1 there is nobody\tof that name";

/** What is done to a mail is said by its recipient: `defer@` is taken the second time, `hang@` the second time as well. */
function dealing() {
  const seen = new Set<string>();
  return async ({ to, messageId }: { to: readonly string[]; messageId: string }): Promise<Reply | undefined> => {
    const first = !seen.has(messageId);
    seen.add(messageId);
    if (to[0]!.startsWith("nobody@")) return { code: 550, text: REFUSAL };
    if (first && to[0]!.startsWith("defer@")) return { code: 451, text: "4.7.1 come again" };
    if (first && to[0]!.startsWith("hang@")) return await new Promise(() => {});
  };
}

function post(system: System, body: unknown, node = 0, secret = SECRET): Promise<Response> {
  return fetch(`${system.url("mail", node)}/api/mails`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  });
}

Deno.test("mail", async (t) => {
  await using sink = await SmtpSink.start({ deal: dealing() });
  await using system = await startSystem({
    counts: { mail: 2 },
    env: { NOTIFYX_SMTP_URL: sink.url, NOTIFYX_MAIL_RETRY_SECONDS: "1", NOTIFYX_MAIL_SECONDS: "30,notification=1" },
  });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const send = async (user: User, to: string, subject = "Soup") =>
    (await user.get(SEND, { to, subject, message: "It is ready.\nCome." })).sendEmail as { id: string };
  const received = (id: string) => sink.received.filter(({ messageId }) => messageId === `<${id}@localhost>`);
  const became = async (user: User, id: string, status: string) => {
    await until(`${id} is ${status}`, async () => (await user.get(EMAIL, { id })).email.status === status);
    return (await user.get(EMAIL, { id })).email;
  };

  await t.step(
    "arrives once, as it was written, under a Message-ID of its id, and its sender alone sees it",
    async () => {
      const { id } = await send(ann, "someone@example.org", "Söup");
      deepEqual(await became(ann, id, "SENT"), { status: "SENT", attempts: 1, error: null, subject: "Söup" });
      const [mail, ...more] = received(id);
      deepEqual(more, []);
      deepEqual(mail!.to, ["someone@example.org"]);
      equal(mail!.from, "notifyx@localhost");
      match(
        mail!.source,
        /^From: Notifyx <notifyx@localhost>\r\nTo: someone@example.org\r\nSubject: =\?UTF-8\?Q\?S=C3=B6up\?=\r$/m,
      );
      equal(await bob.code(EMAIL, { id }), "NOT_FOUND");
      equal(await ann.code(EMAIL, { id: "no id" }), "NOT_FOUND");
    },
  );

  await t.step(
    "a 4yz answer is tried again under the same Message-ID, and each change comes live over both ways",
    async () => {
      using socket = await ann.connect();
      const { id } = await send(ann, "defer@example.org");
      const operation = socket.subscribe(LIVE, { id });
      await using stream = await EventStream.open(ann.url, LIVE, { id }, { authorization: `Bearer ${ann.token}` });
      await socket.next((frame) => frame.type === "complete" && frame.id === operation);
      await stream.ended;
      const states = {
        socket: statesOf(socket, operation),
        stream: stream.events.slice(0, -1).map(({ data }) => data.data.emailUpdated),
      };
      equal(stream.events.at(-1)!.event, "complete");
      for (const all of Object.values(states)) {
        deepEqual(all.at(-1), { status: "SENT", attempts: 2, error: null });
        ok(
          all.some(({ status, error }) => status === "QUEUED" && error === "451 4.7.1 come again"),
          JSON.stringify(all),
        );
      }
      equal(received(id).length, 1);
    },
  );

  await t.step("what has ended is one state, then complete; another's is NOT_FOUND", async () => {
    const { id } = await send(ann, "someone@example.org");
    await became(ann, id, "SENT");
    using socket = await ann.connect();
    using other = await bob.connect();
    const operation = socket.subscribe(LIVE, { id });
    const refused = other.subscribe(LIVE, { id });
    await socket.next((frame) => frame.type === "complete" && frame.id === operation);
    deepEqual(statesOf(socket, operation), [{ status: "SENT", attempts: 1, error: null }]);
    const error = await other.next((frame) => frame.id === refused && frame.type !== "complete");
    equal((error.payload.errors ?? error.payload)[0].extensions.code, "NOT_FOUND");
  });

  await t.step("a 5yz answer is final, in the server's words and on one line", async () => {
    const { id } = await send(ann, "nobody@example.org");
    deepEqual(await became(ann, id, "FAILED"), {
      status: "FAILED",
      attempts: 1,
      error: "550 5.1.1 there is nobody of that name",
      subject: "Soup",
    });
  });

  await t.step("a dead letter is on the status page with its reason, and a button there sends it again", async () => {
    const [failed] = await system.database("mail")`select id from emails where status = 'FAILED'`;
    const path = `/dashboard/mails/${failed!.id}/retry`;
    const page = await (await fetch(`${system.url("mail", 1)}/dashboard`)).text();
    const row = page.split("<tr>").find((one) => one.includes(path))!;
    for (const part of ["nobody@example.org", "550 5.1.1 there is nobody of that name"]) ok(row.includes(part), row);
    const token = /name="token" value="([^"]+)"/.exec(row)![1]!;
    const press = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      fetch(`${system.url("mail", 1)}${path}`, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers,
        redirect: "manual",
      }).then(async (answer) => (await answer.body?.cancel(), answer.status));
    equal(await press({}), 403);
    equal(await press({ token: token.replace(/^./, (first) => first === "A" ? "B" : "A") }), 403);
    equal(await press({ token }, { "x-forwarded-for": "10.0.0.1" }), 401);
    equal(await press({ token }), 303);
    await until("it has failed again", async () => {
      const [row] = await system.database("mail")`select attempts, status from emails where id = ${failed!.id}`;
      return row!.status === "FAILED" && row!.attempts === 2;
    });
  });

  await t.step("mailNodes shows the load on each node, to whoever is signed in", async () => {
    const query = "{ mailNodes { id url running capacity sent failed lastHeartbeatAt } }";
    await until("each node has told what it did", async () => {
      const { mailNodes } = await ann.get(query) as { mailNodes: { url: string; capacity: number; sent: number }[] };
      deepEqual(mailNodes.map(({ url }) => url).sort(), [system.url("mail", 0), system.url("mail", 1)]);
      deepEqual(mailNodes.map(({ capacity }) => capacity), [10, 10]);
      return mailNodes.reduce((sum, { sent }) => sum + sent, 0) === sink.received.length;
    });
    equal((await graphql(system.graphqlUrl, query)).errors![0]!.extensions.code, "UNAUTHENTICATED");
  });

  await t.step("no header can be broken: what holds a line break or another control character is refused", async () => {
    const good = { to: "someone@example.org", subject: "Soup", message: "x" };
    const evil = ["\r\n", "\n", "\r", "\0", "\u2028", "\x1b", "\x7f"].map((one) => `${one}Bcc: victim@example.org`);
    for (const bad of evil) {
      equal(await ann.code(SEND, { ...good, subject: `Soup${bad}` }), "BAD_USER_INPUT", JSON.stringify(bad));
      for (const to of [`someone@example.org${bad}`, `"some${bad}one"@example.org`]) {
        equal(await ann.code(SEND, { ...good, to }), "BAD_USER_INPUT", JSON.stringify(to));
      }
    }
    for (
      const to of ["", "someone", "a@example.org, b@example.org", "A <a@example.org>", `${"a".repeat(250)}@example.org`]
    ) {
      equal(await ann.code(SEND, { ...good, to }), "BAD_USER_INPUT", to);
    }
    const { errors } = await ann.ask(SEND, { ...good, to: '"some one"@example.org' });
    equal(errors![0]!.message, "to takes an e-mail address whose local part is not quoted");
    for (const part of [{ subject: " " }, { subject: "s".repeat(901) }, { message: "" }, { message: "half \ud800" }]) {
      equal(await ann.code(SEND, { ...good, ...part }), "BAD_USER_INPUT", JSON.stringify(part).slice(0, 50));
    }
  });

  await t.step("members hand over many at once, each once however often they ask; what is wrong is named", async () => {
    const mails = Array.from({ length: 50 }, (_, nth) => ({
      id: crypto.randomUUID(),
      to: `reader${nth}@example.org`,
      template: "plain",
      data: { subject: `number ${nth}`, message: "hello" },
      unsubscribeUrl: "https://example.org/unsubscribe/abc",
    }));
    const answers = await Promise.all([post(system, { mails }), post(system, { mails }, 1), post(system, { mails })]);
    for (const answer of answers) deepEqual([answer.status, await answer.json()], [200, {}]);
    await until("all arrive", () => mails.every(({ id }) => received(id).length > 0));
    equal((await post(system, { mails })).status, 200);
    deepEqual(mails.map(({ id }) => received(id).length), mails.map(() => 1));
    const { source } = received(mails[7]!.id)[0]!;
    match(source, /^List-Unsubscribe: <https:\/\/example\.org\/unsubscribe\/abc>\r$/m);
    match(source, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
    const refused = async (mail: unknown, code = 400) => {
      const answer = await post(system, { mails: [mails[0], mail] });
      equal(answer.status, code);
      return (await answer.json()).error as string;
    };
    match(await refused({ ...mails[1], to: "no address" }), /^mails\.1\.to: /);
    match(await refused({ ...mails[1], to: '"a b"@example.org' }), /^mails\.1\.to: .*not quoted/);
    match(await refused({ ...mails[1], id: "7" }), /^mails\.1\.id: /);
    match(await refused({ ...mails[1], template: "bomb" }), /^mails\.1\.template: /);
    match(await refused({ ...mails[1], data: { subject: "a\0" } }), /^mails\.1\.data: /);
    match(await refused({ ...mails[1], data: { subject: "a" } }), /^mails\.1\.data\.message /);
    match(await refused({ ...mails[1], unsubscribeUrl: "javascript:alert(1)" }), /^mails\.1\.unsubscribeUrl: /);
    equal((await post(system, { mails: Array(101).fill(mails[0]) })).status, 400);
    equal((await post(system, { mails }, 0, "wrong")).status, 401);
  });

  await t.step(
    "an attempt that takes longer than its kind may is stopped, and its connection is free again",
    async () => {
      const id = crypto.randomUUID();
      await post(system, {
        mails: [{ id, to: "hang@example.org", template: "notification", data: NOTIFICATION, userId: ann.id }],
      });
      using socket = await ann.connect();
      const operation = socket.subscribe(LIVE, { id });
      await socket.next((frame) => frame.type === "complete" && frame.id === operation);
      ok(statesOf(socket, operation).some(({ error }) => error === "the attempt took longer than 1 s"));
      deepEqual(statesOf(socket, operation).at(-1), { status: "SENT", attempts: 2, error: null });
      await until("no connection is busy", async () => {
        const rows = await system.database("mail")`select sum(running)::int as busy from mail_nodes`;
        return rows[0]!.busy === 0;
      });
    },
  );

  await t.step("one user sends 20 mails an hour, over all nodes, and hears when there is room again", async () => {
    const results = await Promise.all(
      Array.from({ length: 25 }, () => bob.ask(SEND, { to: "someone@example.org", subject: "again", message: "x" })),
    );
    equal(results.filter(({ errors }) => errors === undefined).length, 20);
    const { extensions } = results.find(({ errors }) => errors !== undefined)!.errors![0]!;
    equal(extensions.code, "RATE_LIMITED");
    ok(
      extensions.retryAfterSeconds > 3_500 && extensions.retryAfterSeconds <= 3_600,
      `${extensions.retryAfterSeconds}`,
    );
    await system.database(
      "mail",
    )`update mail_rates set began_at = began_at - interval '1 hour' where user_id = ${bob.id}`;
    await send(bob, "someone@example.org");
  });
});

// deno-lint-ignore no-explicit-any -- whatever the test asked for
function statesOf(socket: Socket, id: string): any[] {
  return socket.frames.filter((frame) => frame.id === id && frame.type === "next").map(({ payload }) =>
    payload.data.emailUpdated
  );
}
