/**
 * Any frames in any order, against a model that says how the socket is closed, if it is; and ten thousand sockets that are treated badly,
 * after which nothing is left of them. NOTIFYX_TEST_SEED repeats a run.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { SECOND, withTimeLimit } from "../kit/time.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { type SocketServer, startSocketServer } from "./helpers/socket_server.ts";
import { until } from "./helpers/system.ts";

const SEED = Number(Deno.env.get("NOTIFYX_TEST_SEED") ?? Date.now() % 2 ** 31);
const RUNS = 2_000;
const SOCKETS = 10_000;
const AT_ONCE = 250;
const MIB = 1024 * 1024;

const IDS = ["1", "constructor", "__proto__", "toString", "🦊", "\ud800", " ", "x".repeat(93)];
const ENDING = [
  "{ hello }",
  "{ fails }",
  "{",
  "",
  "{ nothing }",
  "subscription { refused }",
  "query A { hello } query B { hello }",
];

type Json = Record<string, unknown>;

/** One thing that a client does. */
type Action =
  | { readonly do: "init"; readonly token?: string }
  | { readonly do: "subscribe"; readonly id: string; readonly query: string }
  | { readonly do: "complete"; readonly id: string }
  | { readonly do: "ping"; readonly payload?: Json; readonly as: "text" | "binary" | "fragments" }
  | { readonly do: "pong" }
  /** A message that is none: 4400. */
  | { readonly do: "say"; readonly text: string }
  /** What RFC 6455 closes with `code`. */
  | { readonly do: "break"; readonly how: keyof typeof BREAKS }
  | { readonly do: "close"; readonly code: number };

const text = (message: unknown) => Buffer.from(typeof message === "string" ? message : JSON.stringify(message));

/** Frames that break the rules of WebSocket, each with the code that it is closed with. */
const BREAKS = {
  "invalid UTF-8": [1007, (socket: RawSocket) => socket.frame(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
  "invalid UTF-8 over two fragments": [1007, async (socket: RawSocket) => {
    await socket.frame(Buffer.from([0xf0, 0x9f]), { fin: false });
    await socket.frame(Buffer.from([0x7b]), { opcode: 0 });
  }],
  "invalid UTF-8 in binary": [4400, (socket: RawSocket) => socket.frame(Buffer.from([0xff]), { opcode: 2 })],
  "too large": [1009, (socket: RawSocket) => socket.frame(Buffer.alloc(256 * 1024 + 1, 32))],
  "too large in fragments": [1009, async (socket: RawSocket) => {
    await socket.frame(Buffer.alloc(200 * 1024, 32), { fin: false });
    await socket.frame(Buffer.alloc(100 * 1024, 32), { opcode: 0 });
  }],
  "not masked": [1002, (socket: RawSocket) => socket.frame(text({ type: "ping" }), { masked: false })],
  "reserved bits": [1002, (socket: RawSocket) => socket.frame(text({ type: "ping" }), { reserved: 4 })],
  "no such opcode": [1002, (socket: RawSocket) => socket.frame(text("x"), { opcode: 5 })],
  "a continuation of nothing": [1002, (socket: RawSocket) => socket.frame(text("x"), { opcode: 0 })],
  "a message within a message": [1002, async (socket: RawSocket) => {
    await socket.frame(text("{"), { fin: false });
    await socket.frame(text("{}"));
  }],
  "a control frame in fragments": [1002, (socket: RawSocket) => socket.frame(text("x"), { opcode: 9, fin: false })],
  "a control frame that is too long": [1002, (socket: RawSocket) => socket.frame(Buffer.alloc(126), { opcode: 9 })],
  "a close with half a code": [1002, (socket: RawSocket) => socket.frame(Buffer.alloc(1), { opcode: 8 })],
  "a close with a code that none may send": [
    1002,
    (socket: RawSocket) => socket.frame(Buffer.from([3, 237]), { opcode: 8 }),
  ],
} as const satisfies Record<string, readonly [number, (socket: RawSocket) => Promise<void>]>;

const id = fc.oneof(fc.constantFrom(...IDS), fc.string({ minLength: 1, maxLength: 20 }));
const invalid = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.json({ maxDepth: 2 }),
  fc.constantFrom(
    "",
    "{",
    '{"type":"next","id":"1","payload":{}}',
    '{"type":"connection_ack"}',
    '{"type":"subscribe","id":"","payload":{"query":"x"}}',
    '{"type":"subscribe","id":"1"}',
    '{"type":"subscribe","id":"1","payload":{"query":1}}',
    '{"type":"subscribe","id":"1","payload":{"query":"x","variables":[]}}',
    '{"type":"complete","id":null}',
    '{"type":"ping","payload":[]}',
    '{"type":"constructor"}',
    JSON.stringify({ type: "complete", id: "x".repeat(94) }),
    JSON.stringify({ type: "subscribe", id: "🦊".repeat(24), payload: { query: "{ hello }" } }),
  ),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("init" as const),
      token: fc.constantFrom(undefined, "ann", "ann", "bad", "away"),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("subscribe" as const),
      id,
      query: fc.constantFrom("subscription { events }", "subscription { events }", ...ENDING),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("complete" as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("ping" as const),
      payload: fc.option(fc.dictionary(fc.string(), fc.json()), { nil: undefined }),
      as: fc.constantFrom("text" as const, "binary" as const, "fragments" as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "pong" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("say" as const), text: invalid }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("break" as const),
      how: fc.constantFrom(...Object.keys(BREAKS) as (keyof typeof BREAKS)[]),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("close" as const), code: fc.constantFrom(1000, 1001, 3000, 4999) }),
  },
);
/** Most begin as a client does; else nearly all would end at their first operation. */
const actions = fc.tuple(fc.boolean(), fc.boolean(), fc.array(action, { minLength: 1, maxLength: 15 })).map(
  ([one, other, all]): Action[] => one || other ? [{ do: "init", token: "ann" }, ...all] : all,
);

/** What is known of a socket: how it must behave from here on. */
class Model {
  isReady = false;
  readonly running = new Set<string>();

  constructor(readonly socket: RawSocket) {}

  /** Does it, and waits for the answer that it has; the code that the socket is closed with, where it is. */
  async do(action: Action): Promise<number | undefined> {
    const { socket } = this;
    const answers = socket.messages.length;
    const answer = (holds: (message: { type: string; id?: string }) => boolean) =>
      socket.until(() => socket.messages.slice(answers).some(holds), 5 * SECOND);
    switch (action.do) {
      case "init": {
        const payload = action.token === undefined ? undefined : { authorization: `Bearer ${action.token}` };
        await socket.send({ type: "connection_init", payload });
        if (this.isReady) return 4429;
        if (action.token === "bad") return 4403;
        if (action.token === "away") return 1013;
        this.isReady = true;
        await answer(({ type }) => type === "connection_ack");
        return undefined;
      }
      case "subscribe": {
        await socket.send({ id: action.id, type: "subscribe", payload: { query: action.query } });
        if (Buffer.byteLength(action.id) > 93) return 4400;
        if (!this.isReady) return 4401;
        if (this.running.has(action.id)) return 4409;
        if (action.query === "subscription { events }") this.running.add(action.id);
        else await answer(({ type, id }) => id === action.id && (type === "complete" || type === "error"));
        return undefined;
      }
      case "complete":
        await socket.send({ id: action.id, type: "complete" });
        if (Buffer.byteLength(action.id) > 93) return 4400;
        this.running.delete(action.id);
        return undefined;
      case "ping": {
        const ping = text({ type: "ping", payload: action.payload });
        if (action.as === "fragments") {
          await socket.frame(ping.subarray(0, 3), { fin: false });
          await socket.frame(text("a ping of WebSocket's own"), { opcode: 9 });
          await socket.frame(ping.subarray(3, 3), { opcode: 0, fin: false });
          await socket.frame(ping.subarray(3), { opcode: 0 });
        } else await socket.frame(ping, { opcode: action.as === "binary" ? 2 : 1 });
        await answer(({ type }) => type === "pong");
        const expected = JSON.parse(JSON.stringify({ type: "pong", payload: action.payload }));
        assert.deepEqual(JSON.parse(JSON.stringify(socket.messages.at(-1))), expected);
        return undefined;
      }
      case "pong":
        await socket.send({ type: "pong", payload: null });
        return undefined;
      case "say":
        await socket.send(action.text);
        return 4400;
      case "break": {
        const [code, breaks] = BREAKS[action.how];
        await breaks(socket);
        return code;
      }
      case "close":
        await socket.frame(Buffer.from([action.code >> 8, action.code & 255]), { opcode: 8 });
        return action.code;
    }
  }
}

Deno.test("socket fuzz - any frames in any order: the right close code, or none", async () => {
  console.log(`socket fuzz: NOTIFYX_TEST_SEED=${SEED}`);
  await using server = await startSocketServer({ NOTIFYX_LIMITS: "off" });
  using other = await RawSocket.open(server.graphqlUrl, "other");
  await other.send({ id: "1", type: "subscribe", payload: { query: "subscription { events }" } });
  await fc.assert(
    fc.asyncProperty(actions, async (all) => {
      using socket = await RawSocket.connect(server.graphqlUrl);
      const model = new Model(socket);
      for (const action of all) {
        const expected = await model.do(action);
        if (expected === undefined) continue;
        const { code, reason } = await withTimeLimit("the close", 5 * SECOND, socket.closed);
        assert.equal(code, expected, JSON.stringify(action));
        assert.ok(Buffer.byteLength(reason) <= 123);
        return;
      }
      assert.equal(socket.isClosed, false);
      // It is as good as on its first day.
      await model.do({ do: "ping", as: "text" });
      if (!model.isReady) return;
      await model.do({ do: "subscribe", id: "a query that comes last", query: "{ hello }" });
      const running = new Set(model.running);
      for (const id of running) await model.do({ do: "complete", id });
    }),
    { seed: SEED, numRuns: RUNS, interruptAfterTimeLimit: 60 * SECOND },
  );
  await until("all is let go", async () => (await server.stats()).running === 1);
  await server.publish(0, 1);
  await other.until(() => other.messages.at(-1)?.type === "next");
  assert.doesNotMatch(server.output, /"level":"error"(?!.*an inner secret)/);
});

/** What one of ten thousand does, without looking at what comes back. */
async function misbehave(server: SocketServer, random: () => number): Promise<void> {
  const socket = await RawSocket.connect(server.graphqlUrl, { echoes: random() < 0.5 });
  const sending: Promise<void>[] = [];
  const send = (message: unknown) => sending.push(socket.send(message));
  if (random() < 0.8) {
    send({ type: "connection_init", payload: random() < 0.9 ? {} : { authorization: "Bearer bad" } });
    await socket.until(() => socket.messages.length > 0).catch(() => {});
  }
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    const query = random() < 0.7 ? "subscription { events }" : "{ hello(after: 5) }";
    send({ id: `${Math.floor(random() * 3)}`, type: "subscribe", payload: { query } });
    if (random() < 0.3) send({ id: `${Math.floor(random() * 3)}`, type: "complete" });
  }
  const breaks = Object.values(BREAKS);
  const end = random();
  if (end < 0.2) await breaks[Math.floor(random() * breaks.length)]![1](socket);
  else if (end < 0.4) await socket.frame(Buffer.from([3, 232]), { opcode: 8 });
  await Promise.all(sending);
  // Most are just gone.
  socket[Symbol.dispose]();
}

Deno.test("socket fuzz - nothing is left of ten thousand sockets", async () => {
  await using server = await startSocketServer({ NOTIFYX_LIMITS: "off" });
  let state = SEED;
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const round = async (sockets: number) => {
    for (let count = 0; count < sockets; count += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => misbehave(server, random)));
    }
    await until(
      "all are closed",
      async () => await server.metric("notifyx_delivery_sockets") === 0,
      10 * SECOND,
    );
    return await server.stats();
  };
  // What the first sockets load and compile is no leak.
  const before = await round(5_000);
  const after = await round(SOCKETS);
  assert.equal(after.running, 0);
  assert.equal(await server.metric("notifyx_delivery_operations"), 0);
  assert.ok(after.handles <= before.handles + 2, `${before.handles} handles were open, and are ${after.handles}`);
  const grown = (after.heapUsed - before.heapUsed) / SOCKETS;
  assert.ok(grown < 100, `${grown} bytes were left of each socket`);
  // What V8 has freed and not given back yet is up to 50 MiB on a busy machine; a buffer that each left would be more than this.
  assert.ok(after.rss - before.rss < 80 * MIB, `${(after.rss - before.rss) / MIB} MiB more are resident`);
});
