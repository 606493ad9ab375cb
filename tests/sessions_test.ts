/** Who asks, from the outside: tokens that are none or have ended, and what registering and signing in refuse. */

import assert from "node:assert/strict";
import { delay, SECOND } from "../kit/time.ts";
import { Answers } from "./helpers/answers.ts";
import { graphql, Socket, User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

const REGISTER =
  "mutation ($email: String!, $password: String!) { register(email: $email, password: $password) { token } }";
const LOGIN =
  "mutation ($email: String!, $password: String!) { login(email: $email, password: $password) { token user { id email } } }";
const SUBSCRIPTION = "subscription { notificationReceived { id } }";
const SESSION_SECONDS = 5;

Deno.test("sessions - only a token that is alive speaks for its user", async (t) => {
  await using system = await startSystem({ env: { NOTIFYX_SESSION_SECONDS: `${SESSION_SECONDS}` } });
  using answers = new Answers();
  const url = system.graphqlUrl;
  const sayings: string[] = [];
  const early = await User.register(system);
  const earlyEnds = delay(SESSION_SECONDS * SECOND);
  const code = async (query: string, variables?: unknown) =>
    (await graphql(url, query, variables)).errors?.[0]?.extensions.code;
  /** The status and code of `{ me { id } }` under a raw header. */
  const meBy = async (authorization: string) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: '{"query":"{ me { id } }"}',
    });
    const { data, errors } = await response.json();
    return [response.status, data?.me?.id ?? errors[0].extensions.code];
  };
  /** How a socket that begins with `payload` is closed. */
  const closeBy = async (payload: unknown) => {
    using socket = await Socket.raw(url);
    socket.send({ type: "connection_init", payload });
    const { code, reason } = await socket.closed;
    sayings.push(reason);
    return code;
  };

  await t.step("without a token only registering and signing in are open", async () => {
    const closed = [
      "{ me { id } }",
      '{ user(id: "x") { id } }',
      "{ users { edges { cursor } } }",
      '{ topic(name: "x") { id } }',
      "{ topics { edges { cursor } } }",
      "{ notifications { edges { cursor } } }",
      "{ unseenCount }",
      "{ services { name } }",
      "mutation { logout }",
      "{ sessions { id } }",
      'mutation { endSession(id: "x") }',
      "mutation { endOtherSessions }",
      'mutation { createTopic(name: "x") { id } }',
      'mutation { setTopicStatus(topicId: "x", status: ACTIVE) { id } }',
      'mutation { subscribeToTopic(topicId: "x") { id } }',
      'mutation { unsubscribeFromTopic(topicId: "x") { id } }',
      'mutation { sendNotification(topicId: "x", message: "") { id } }',
      "mutation { acknowledgeNotifications(ids: []) { id } }",
    ];
    for (const query of closed) assert.equal(await code(query), "UNAUTHENTICATED", query);
    using socket = await Socket.open(url, undefined);
    const id = socket.subscribe(SUBSCRIPTION);
    const { payload } = await socket.next((frame) => frame.id === id);
    assert.equal((payload.errors ?? payload)[0].extensions.code, "UNAUTHENTICATED");
  });

  await t.step("a token that is wrong or malformed is refused, with 401 and 4403", async () => {
    const { token } = await User.register(system);
    const other = token.replace(/^./, (first) => first === "a" ? "b" : "a");
    const wrong = [
      "Bearer",
      "Bearer x",
      `Bearer ${other}`,
      `Bearer ${token} x`,
      `Bearer ${token}x`,
      `Basic ${token}`,
      token,
      `Bearer ${"x".repeat(5_000)}`,
      "Bearer ../x",
      "Bearer undefined",
    ];
    for (const authorization of wrong) {
      assert.deepEqual(await meBy(authorization), [401, "UNAUTHENTICATED"], authorization);
      assert.equal(await closeBy({ authorization }), 4403, authorization);
    }
    for (const authorization of [7, {}, [], true, { toString: 1 }]) {
      assert.equal(await closeBy({ authorization }), 4403);
    }
    assert.equal((await graphql(url, "{ __typename }", {}, "x")).errors?.[0]?.extensions.code, "UNAUTHENTICATED");
  });

  await t.step("an ended session's token is refused, and no other", async () => {
    const user = await User.register(system);
    const again = (await graphql(url, LOGIN, { email: user.email, password: "correct horse" })).data.login;
    assert.deepEqual(await meBy(`bearer ${user.token}`), [200, user.id]);
    assert.deepEqual(await user.get("mutation { logout }"), { logout: true });
    assert.deepEqual(await meBy(`Bearer ${user.token}`), [401, "UNAUTHENTICATED"]);
    assert.equal(await closeBy({ authorization: `Bearer ${user.token}` }), 4403);
    assert.equal(await user.code("mutation { logout }"), "UNAUTHENTICATED");
    assert.deepEqual(await meBy(`Bearer ${again.token}`), [200, user.id]);
  });

  await t.step("an address is taken in any case, and has to be one", async () => {
    const { email } = await User.register(system);
    for (const taken of [email, email.toUpperCase(), ` ${email} `]) {
      assert.equal(await code(REGISTER, { email: taken, password: "correct horse" }), "CONFLICT", taken);
    }
    const none = [
      "",
      "x",
      "x@",
      "@example.com",
      "a b@example.com",
      "a@b@example.com",
      "a@example",
      `${"x".repeat(250)}@example.com`,
      "a\0@example.com",
      "a@example.com\nbcc: b@example.com",
      "\ud800@example.com",
    ];
    for (const email of none) {
      assert.equal(await code(REGISTER, { email, password: "correct horse" }), "BAD_USER_INPUT", JSON.stringify(email));
    }
  });

  await t.step("a password has 8 to 128 characters", async () => {
    const email = () => `${crypto.randomUUID()}@example.com`;
    for (
      const password of [
        "",
        "7 chars",
        "🦊".repeat(7),
        "x".repeat(129),
        "x".repeat(100_000),
        "with a NUL\0",
        "with half \ud800",
      ]
    ) {
      assert.equal(await code(REGISTER, { email: email(), password }), "BAD_USER_INPUT", password.slice(0, 20));
    }
    for (const password of ["8 chars!", "🦊".repeat(128)]) {
      assert.equal(await code(REGISTER, { email: email(), password }), undefined);
    }
  });

  await t.step("an unknown address and a wrong password get the same answer", async () => {
    const { email, id } = await User.register(system);
    const wrong = [
      [email, "wrong horse"],
      [email, "Correct horse"],
      ["nobody@example.com", "correct horse"],
      ["no address", "x"],
      [email, ""],
      [email, "x".repeat(10_000)],
    ];
    const refused = await Promise.all(wrong.map(async ([email, password]) => {
      const { status, data, errors } = await graphql(url, LOGIN, { email, password });
      return { status, data, errors };
    }));
    assert.equal(refused[0]!.errors![0]!.extensions.code, "UNAUTHENTICATED");
    for (const one of refused) assert.deepEqual(one, refused[0]);
    const { data } = await graphql(url, LOGIN, { email: ` ${email.toUpperCase()}`, password: "correct horse" });
    assert.deepEqual(data.login.user, { id, email });
  });

  await t.step(`a session ends by itself, here after ${SESSION_SECONDS} s`, async () => {
    await earlyEnds;
    assert.deepEqual(await meBy(`Bearer ${early.token}`), [401, "UNAUTHENTICATED"]);
    assert.equal(await closeBy({ authorization: `Bearer ${early.token}` }), 4403);
    const { data } = await graphql(url, LOGIN, { email: early.email, password: "correct horse" });
    assert.deepEqual(await meBy(`Bearer ${data.login.token}`), [200, early.id]);
  });

  assert(await answers.check(sayings) > 50);
});

Deno.test("sessions - a user sees where they are signed in, and ends one or all others, whose sockets close", async () => {
  await using system = await startSystem();
  const desk = await User.register(system);
  const { data } = await graphql(system.graphqlUrl, LOGIN, { email: desk.email, password: "correct horse" });
  const phone = new User(system.graphqlUrl, desk.id, desk.email, data.login.token);
  const listed = async (user: User) => (await user.get("{ sessions { id startedAt expiresAt current } }")).sessions;
  const END = "mutation ($id: ID!) { endSession(id: $id) }";
  const [ofPhone, ofDesk] = await listed(desk);
  assert.deepEqual([ofPhone.current, ofDesk.current], [false, true]);
  assert.deepEqual((await listed(phone)).map((one: { current: boolean }) => one.current), [true, false]);
  assert.ok(Date.parse(ofPhone.startedAt) <= Date.now() && Date.parse(ofPhone.expiresAt) > Date.now());

  const stranger = await User.register(system);
  assert.equal((await stranger.get(END, { id: ofPhone.id })).endSession, false);
  using socket = await phone.connect();
  assert.equal((await desk.get(END, { id: ofPhone.id })).endSession, true);
  assert.equal((await socket.closed).code, 4403);
  assert.equal(await phone.code("{ me { id } }"), "UNAUTHENTICATED");
  assert.equal((await desk.get(END, { id: ofPhone.id })).endSession, false);

  await graphql(system.graphqlUrl, LOGIN, { email: desk.email, password: "correct horse" });
  assert.equal((await desk.get("mutation { endOtherSessions }")).endOtherSessions, 1);
  assert.deepEqual((await listed(desk)).map((one: { id: string }) => one.id), [ofDesk.id]);
  assert.equal((await listed(stranger)).length, 1);
});
