/** The graphql-transport-ws protocol from the outside, with a raw socket: each close code of its page, and what it says of operations. */

import assert from "node:assert/strict";
import { SECOND, withTimeLimit } from "../kit/time.ts";
import { assertNothingInternal } from "./helpers/answers.ts";
import { type Frame, Socket, User } from "./helpers/client.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

const SUBSCRIPTION = "subscription ($after: String) { notificationReceived(after: $after) { message } }";
const SEND =
  "mutation ($topicId: ID!, $message: String!, $to: [ID!]) { sendNotification(topicId: $topicId, message: $message, to: $to) { message } }";

Deno.test("protocol - a socket speaks graphql-transport-ws as its page says", async (t) => {
  const lines: string[] = [];
  await using system = await startSystem({ onLine: (name, line) => name === "gateway" && lines.push(line) });
  const url = system.graphqlUrl;
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  /** How a socket that is treated so is closed. */
  const closeOf = async (treat: (socket: Socket) => void, socket?: Socket) => {
    using open = socket ?? await bob.connect();
    treat(open);
    const { code, reason } = await withTimeLimit("the close", 5 * SECOND, open.closed);
    assertNothingInternal(reason);
    return code;
  };
  /** The frames of an operation, up to the one that ends it. */
  const framesOf = async (socket: Socket, id: string): Promise<Frame[]> => {
    await socket.next((frame) => frame.id === id && (frame.type === "complete" || frame.type === "error"));
    const frames = socket.frames.filter((frame) => frame.id === id);
    for (const frame of frames) assertNothingInternal(JSON.stringify(frame));
    return frames;
  };
  const code = ({ payload }: Frame) => (payload.errors ?? payload)[0].extensions.code;

  await t.step("4400 for a message that is none", async () => {
    const query = "{ __typename }";
    const none = [
      "",
      "x",
      "{",
      "null",
      "[]",
      "7",
      "{}",
      { type: 7 },
      { type: "start" },
      { type: "__proto__" },
      { type: "next", id: "1" },
      { type: "ping", payload: "x" },
      { type: "subscribe", payload: { query } },
      { type: "subscribe", id: "", payload: { query } },
      { type: "subscribe", id: 1, payload: { query } },
      { type: "subscribe", id: "1" },
      { type: "subscribe", id: "1", payload: {} },
      { type: "subscribe", id: "1", payload: { query: 7 } },
      { type: "subscribe", id: "1", payload: { query, variables: "x" } },
      { type: "subscribe", id: "1", payload: { query, operationName: {} } },
      { type: "complete" },
    ];
    for (const message of none) {
      assert.equal(await closeOf((socket) => socket.send(message)), 4400, JSON.stringify(message));
    }
    assert.equal(
      await closeOf((socket) => socket.send({ type: "connection_init", payload: 7 }), await Socket.raw(url)),
      4400,
    );
  });

  await t.step("4401 before the acknowledgement, 4403 for a bad token, 4429 for a second connection_init", async () => {
    const subscribe = { type: "subscribe", id: "1", payload: { query: "{ __typename }" } };
    assert.equal(await closeOf((socket) => socket.send(subscribe), await Socket.raw(url)), 4401);
    const wrong = { type: "connection_init", payload: { authorization: "Bearer x" } };
    assert.equal(await closeOf((socket) => socket.send(wrong), await Socket.raw(url)), 4403);
    assert.equal(await closeOf((socket) => socket.send({ type: "connection_init" })), 4429);
    const twice = (socket: Socket) => [1, 2].forEach(() => socket.send({ type: "connection_init" }));
    assert.equal(await closeOf(twice, await Socket.raw(url)), 4429);
  });

  await t.step("4401 and 4429 while the first connection_init is still being answered", async () => {
    for (const [type, expected] of [["subscribe", 4401], ["connection_init", 4429]] as const) {
      // A new session: this gateway has to ask for it.
      const { token } = await User.register(system);
      using socket = await RawSocket.connect(url);
      // In one write: apart, the answer may come in between.
      await socket.send(
        { type: "connection_init", payload: { authorization: `Bearer ${token}` } },
        { type, id: "1", payload: { query: "{ __typename }" } },
      );
      const { code } = await withTimeLimit("the close", 5 * SECOND, socket.closed);
      assert.deepEqual([code, socket.messages], [expected, []]);
    }
  });

  await t.step("4406 for another subprotocol, or none", async () => {
    for (const protocol of ["graphql-ws", []]) {
      const raw = new WebSocket(url.replace(/^http/, "ws"), protocol);
      const { code } = await new Promise<CloseEvent>((resolve) => raw.addEventListener("close", resolve));
      assert.equal(code, 4406, `${protocol}`);
    }
    using socket = await Socket.raw(url, ["graphql-ws", "graphql-transport-ws"]);
    assert.equal(socket.raw.protocol, "graphql-transport-ws");
  });

  await t.step("4408 for a client that says nothing, or only pings", async () => {
    const pings = (socket: Socket) => socket.send({ type: "ping" });
    const codes = await Promise.all([closeOf(() => {}, await Socket.raw(url)), closeOf(pings, await Socket.raw(url))]);
    assert.deepEqual(codes, [4408, 4408]);
  });

  await t.step("4409 for an id that is in use, and not once its operation has ended", async () => {
    for (const id of ["1", "constructor", "__proto__", "toString", "🦊", "x".repeat(93)]) {
      const twice = (socket: Socket) => [1, 2].forEach(() => socket.subscribe(SUBSCRIPTION, {}, id));
      assert.equal(await closeOf(twice), 4409, id);
      using socket = await bob.connect();
      for (let again = 1; again <= 2; again++) {
        socket.subscribe("{ __typename }", {}, id);
        await socket.next(() => socket.frames.filter(({ type }) => type === "complete").length === again);
      }
      const own = JSON.parse(JSON.stringify(socket.frames.slice(1, 3)));
      assert.deepEqual(own, [{ id, type: "next", payload: { data: { __typename: "Query" } } }, {
        id,
        type: "complete",
      }]);
    }
  });

  await t.step("4400 for an id that is too long, 1009 for a frame that is", async () => {
    for (const id of ["x".repeat(94), "🦊".repeat(24), "x".repeat(50_000)]) {
      assert.equal(await closeOf((socket) => socket.subscribe(SUBSCRIPTION, {}, id)), 4400);
    }
    assert.equal(await closeOf((socket) => socket.subscribe("{ __typename }", { padding: "x".repeat(2 ** 20) })), 1009);
  });

  await t.step("pings are answered, and pongs taken, at any time", async () => {
    for (const socket of [await Socket.raw(url), await bob.connect()]) {
      using open = socket;
      open.send({ type: "pong" });
      open.send({ type: "pong", payload: { a: 1 } });
      open.send({ type: "ping", payload: { at: 1 } });
      assert.deepEqual(await open.next(({ type }) => type === "pong"), { type: "pong", payload: { at: 1 } });
    }
  });

  await t.step("queries and mutations too, and what is wrong with one ends it alone", async () => {
    using socket = await ann.connect();
    const lasting = socket.subscribe(SUBSCRIPTION);
    const me = await framesOf(socket, socket.subscribe("{ me { id } }"));
    assert.deepEqual(me.map(({ type, payload }) => payload ?? type), [{ data: { me: { id: ann.id } } }, "complete"]);
    const largest = "🦊".repeat(10_000);
    const recipients = Array.from({ length: 999 }, () => crypto.randomUUID());
    const [sent] = await framesOf(socket, socket.subscribe(SEND, { topicId, message: largest }));
    assert.equal(sent!.payload.data.sendNotification.message, largest);
    const [refused] = await framesOf(socket, socket.subscribe(SEND, { topicId, message: largest, to: recipients }));
    assert.equal(code(refused!), "BAD_USER_INPUT");
    for (
      const document of [
        "{",
        "",
        "{ nothing }",
        "query A { __typename } query B { __typename }",
        "fragment F on User { id }",
        `{ users(first: ${"[".repeat(4_000)}`,
        "subscription { a: notificationReceived { id } b: notificationReceived { id } }",
      ]
    ) {
      const [error, ...more] = await framesOf(socket, socket.subscribe(document));
      assert.deepEqual([error!.type, code(error!), more], ["error", "BAD_USER_INPUT", []], document.slice(0, 50));
    }
    const failing: [string, unknown, string][] = [
      ['subscription { notificationReceived(topicId: "x") { id } }', {}, "NOT_FOUND"],
      [SUBSCRIPTION, { after: "x" }, "BAD_USER_INPUT"],
      [SUBSCRIPTION, { after: 7 }, "BAD_USER_INPUT"],
      ['mutation { subscribeToTopic(topicId: "x") { id } }', {}, "NOT_FOUND"],
    ];
    for (const [document, variables, expected] of failing) {
      const [first] = await framesOf(socket, socket.subscribe(document, variables));
      assert.equal(code(first!), expected, document);
    }
    assert.deepEqual(socket.frames.filter(({ id }) => id === lasting), []);
    assert.equal(socket.raw.readyState, WebSocket.OPEN);
  });

  await t.step("nothing comes for what was completed before its result, and it is done all the same", async () => {
    using socket = await RawSocket.open(url, ann.token);
    for (const id of ["a", "b"]) {
      const payload = { query: SEND, variables: { topicId, message: `completed ${id}` } };
      void socket.send({ type: "subscribe", id, payload });
      void socket.send({ type: "complete", id });
    }
    await until("both are sent", async () => (await bob.inbox()).filter((one) => /^completed/.test(one)).length === 2);
    await socket.send({ type: "subscribe", id: "b", payload: { query: "{ __typename }" } });
    await socket.until(() => socket.messages.at(-1)!.type === "complete");
    assert.deepEqual(socket.messages.slice(1).map(({ id, type }) => [id, type]), [["b", "next"], ["b", "complete"]]);
  });

  await t.step("what one client does wrong is no other's affair", async () => {
    using socket = await bob.connect();
    const id = socket.subscribe(SUBSCRIPTION);
    await listening(system, 1);
    for (const wrong of ["{", { type: "next", id }, { type: "subscribe", id: "1", payload: {} }]) {
      await closeOf((other) => other.send(wrong));
    }
    await ann.send(topicId, "still here");
    assert.deepEqual(await socket.receive(id, 1), [{ message: "still here" }]);
  });

  await t.step("a session's end: UNAUTHENTICATED for its operations, then 4403, within a second", async () => {
    for (const over of ["HTTP", "the socket itself"]) {
      const user = await User.register(system);
      using socket = await user.connect();
      using other = await bob.connect();
      const ids = [socket.subscribe(SUBSCRIPTION), socket.subscribe(SUBSCRIPTION)];
      const lasting = other.subscribe(SUBSCRIPTION);
      await listening(system, 3);
      const startedAt = Date.now();
      if (over === "HTTP") await user.get("mutation { logout }");
      else {
        const [result, complete] = await framesOf(socket, socket.subscribe("mutation { logout }"));
        assert.deepEqual([result!.payload, complete!.type], [{ data: { logout: true } }, "complete"]);
      }
      const { code: closeCode } = await withTimeLimit("the close", 5 * SECOND, socket.closed);
      assert.ok(Date.now() - startedAt < SECOND, over);
      assert.equal(closeCode, 4403);
      for (const id of ids) {
        const frames = socket.frames.filter((frame) => frame.id === id);
        assert.deepEqual(frames.map((frame) => [frame.type, code(frame)]), [["error", "UNAUTHENTICATED"]], over);
      }
      assert.deepEqual(other.frames.filter(({ id }) => id === lasting), []);
      assert.equal(other.raw.readyState, WebSocket.OPEN);
    }
  });

  await t.step("many operations on one socket; `complete` stops one of them, and the socket's end all", async () => {
    await listening(system, 0);
    using socket = await bob.connect();
    const ids = ["1", "constructor", "__proto__", ...Array.from({ length: 17 }, (_, index) => `more ${index}`)];
    for (const id of ids) socket.subscribe(SUBSCRIPTION, {}, id);
    await listening(system, ids.length);
    socket.send({ type: "complete", id: "constructor" });
    socket.send({ type: "complete", id: "unknown" });
    await listening(system, ids.length - 1);
    await ann.send(topicId, "to the others");
    for (const id of ids.filter((id) => id !== "constructor")) {
      assert.deepEqual(await socket.receive(id, 1), [{ message: "to the others" }], id);
    }
    assert.deepEqual(socket.received("constructor"), []);
    socket.raw.close();
    await listening(system, 0);
  });

  await t.step("none of this is an error of the gateway's, and nobody else writes to its log", () => {
    assert.deepEqual(lines.filter((line) => !line.startsWith("{") || JSON.parse(line).level === "error"), []);
  });
});
