/** What only order decides in the protocol: races between messages, results, ends of sessions and the stop. The rest is in tests/protocol_test.ts. */

import assert from "node:assert/strict";
import { delay } from "../../kit/time.ts";
import { Caller } from "../caller.ts";
import { CLOSE, type CloseCode } from "./close_codes.ts";
import { MessageRate } from "./message_rate.ts";
import { type NextPrefix } from "./messages.ts";
import type { Running } from "./operation.ts";
import { type Admitted, type Backend, Connection, Refused } from "./protocol.ts";
import type { Operation, OperationKind, Wire } from "./socket_operation.ts";

const decoder = new TextDecoder();
const payload = (text: string) => new TextEncoder().encode(text);

/** A wire that keeps what it is told, and a backend whose every step the test takes itself. */
class Bench implements Wire, Backend {
  readonly sent: string[] = [];
  closed: CloseCode | undefined;
  reason: string | undefined;
  left = 0;
  stopped = 0;
  most = { subscription: 3, request: 3 };
  rate: MessageRate | undefined;
  /** As what operations begin; undefined: they are still being prepared. */
  kind: OperationKind | undefined = "subscription";
  endSession = () => {};
  readonly admission = Promise.withResolvers<Admitted>();
  readonly operations: Operation[] = [];
  readonly starts: PromiseWithResolvers<Running>[] = [];
  readonly limits: string[] = [];

  send(message: string) {
    assert.equal(this.closed, undefined, `sent after the close: ${message}`);
    this.sent.push(message);
  }
  next({ bytes }: NextPrefix, result: Uint8Array) {
    this.send(`${decoder.decode(bytes)}${decoder.decode(result)}}`);
  }
  close(code: CloseCode, reason: string = code.reason) {
    assert.equal(this.closed, undefined, "closed twice");
    this.closed = code;
    this.reason = reason;
  }
  room() {
    return undefined;
  }

  admit(_payload: Readonly<Record<string, unknown>>, onEnded: () => void) {
    this.endSession = onEnded;
    return this.admission.promise;
  }
  start(_payload: unknown, _caller: Caller, operation: Operation) {
    if (this.kind !== undefined && !operation.begin(this.kind)) return Promise.resolve(this.running);
    this.operations.push(operation);
    const start = Promise.withResolvers<Running>();
    this.starts.push(start);
    return start.promise;
  }
  maskedErrors(errors: readonly Error[]) {
    return errors.map(({ message }) => ({ message }));
  }
  messageRate() {
    return this.rate;
  }
  limited(kind: string) {
    this.limits.push(kind);
  }

  readonly admitted: Admitted = { caller: new Caller(undefined as never, null, "test"), leave: () => this.left++ };
  readonly running: Running = { stop: () => this.stopped++ };
  get types(): string[] {
    return this.sent.map((message) => JSON.parse(message).type);
  }
}

/** A connection, acknowledged unless told otherwise. */
async function open(prepare: (bench: Bench) => void = () => {}, acknowledged = true) {
  const bench = new Bench();
  prepare(bench);
  const connection = new Connection(bench, bench);
  const say = (message: unknown) => connection.onMessage(JSON.stringify(message));
  if (acknowledged) {
    say({ type: "connection_init" });
    bench.admission.resolve(bench.admitted);
    await delay(0);
    assert.deepEqual(bench.sent.splice(0), ['{"type":"connection_ack"}']);
  }
  const subscribe = (id: string) => say({ id, type: "subscribe", payload: { query: "x" } });
  return { bench, connection, say, subscribe, [Symbol.dispose]: () => connection.onClose() };
}

Deno.test("protocol - a second connection_init closes with 4429 while the first is still being admitted", async () => {
  using opened = await open(undefined, false);
  const { bench, say } = opened;
  say({ type: "connection_init" });
  say({ type: "connection_init" });
  assert.equal(bench.closed, CLOSE.secondInit);
  bench.admission.resolve(bench.admitted);
  await delay(0);
  assert.deepEqual([bench.sent, bench.left], [[], 1]);
});

Deno.test("protocol - subscribe closes with 4401 while the connection is still being admitted", async () => {
  using opened = await open(undefined, false);
  opened.say({ type: "connection_init" });
  opened.subscribe("1");
  assert.equal(opened.bench.closed, CLOSE.unauthorized);
});

Deno.test("protocol - only the receipt of connection_init stops its clock, and a ping doesn't", async () => {
  using waiting = await open(undefined, false);
  using slow = await open(undefined, false);
  slow.say({ type: "connection_init" });
  waiting.say({ type: "ping" });
  await delay(3_200);
  assert.deepEqual([waiting.bench.closed, slow.bench.closed], [CLOSE.initTimeout, undefined]);
  slow.bench.admission.resolve(slow.bench.admitted);
  await delay(0);
  assert.deepEqual(slow.bench.types, ["connection_ack"]);
});

Deno.test("protocol - a refusal and a fault at the admission close with their own codes", async () => {
  for (
    const [error, code] of [
      [new Refused(CLOSE.tooManySockets), CLOSE.tooManySockets],
      [new Error("a bug"), CLOSE.internal],
    ] as const
  ) {
    using opened = await open(undefined, false);
    opened.say({ type: "connection_init" });
    opened.bench.admission.reject(error);
    await delay(0);
    assert.deepEqual([opened.bench.closed, opened.bench.sent], [code, []]);
  }
});

Deno.test("protocol - an id is in use while its operation is being prepared, and free after its end", async () => {
  for (const id of ["1", "constructor", "__proto__", "hasOwnProperty"]) {
    using opened = await open((bench) => bench.kind = undefined);
    const { bench, subscribe } = opened;
    subscribe(id);
    bench.operations[0]!.complete();
    subscribe(id);
    bench.operations[1]!.error([{ message: "no" }]);
    subscribe(id);
    assert.deepEqual(bench.types, ["complete", "error"]);
    assert.equal(bench.closed, undefined);
    subscribe(id);
    assert.deepEqual([bench.closed, bench.reason], [CLOSE.duplicateId, `Subscriber for ${id} already exists`]);
  }
});

Deno.test("protocol - nothing is sent for an operation that the client has completed, whenever it did", async () => {
  using opened = await open();
  const { bench, say, subscribe } = opened;
  subscribe("1");
  say({ type: "complete", id: "1" });
  say({ type: "complete", id: "1" });
  say({ type: "complete", id: "never" });
  const [operation] = bench.operations;
  operation!.next(payload("{}"));
  operation!.complete();
  operation!.error([{ message: "late" }]);
  bench.starts[0]!.resolve(bench.running);
  await delay(0);
  assert.deepEqual([bench.sent, bench.stopped, bench.closed], [[], 1, undefined]);
  // The id's next operation is another one.
  subscribe("1");
  operation!.next(payload("{}"));
  bench.operations[1]!.next(payload('{"data":1}'));
  assert.deepEqual(bench.sent, ['{"id":"1","type":"next","payload":{"data":1}}']);
});

Deno.test("protocol - an error is the last that is said of an operation, and stops what runs for it", async () => {
  using opened = await open();
  const { bench, subscribe } = opened;
  subscribe("1");
  bench.starts[0]!.resolve(bench.running);
  await delay(0);
  const [operation] = bench.operations;
  operation!.error([{ message: "no" }]);
  operation!.complete();
  operation!.next(payload("{}"));
  assert.deepEqual(bench.sent, ['{"id":"1","type":"error","payload":[{"message":"no"}]}']);
  assert.equal(bench.stopped, 1);
});

Deno.test("protocol - a start that fails ends its operation alone", async () => {
  using opened = await open();
  const { bench, subscribe } = opened;
  subscribe("1");
  subscribe("2");
  bench.starts[0]!.reject(new Error("a bug"));
  await delay(0);
  bench.operations[1]!.next(payload("{}"));
  assert.deepEqual([bench.types, bench.closed], [["error", "next"], undefined]);
});

Deno.test("protocol - the socket's end stops all, also what is only being prepared", async () => {
  using opened = await open();
  const { bench, connection, subscribe } = opened;
  subscribe("1");
  subscribe("2");
  bench.starts[0]!.resolve(bench.running);
  await delay(0);
  connection.onClose();
  connection.onClose();
  assert.deepEqual([bench.stopped, bench.left, connection.operations], [1, 1, 0]);
  bench.starts[1]!.resolve(bench.running);
  await delay(0);
  assert.deepEqual([bench.stopped, bench.closed], [2, undefined]);
});

Deno.test("protocol - a session's end is told to each operation, and then closes the socket with 4403", async () => {
  using opened = await open();
  const { bench, subscribe } = opened;
  subscribe("1");
  subscribe("2");
  bench.endSession();
  bench.endSession();
  assert.deepEqual(bench.sent.map((message) => JSON.parse(message)).map(({ id, type }) => [id, type]), [
    ["1", "error"],
    ["2", "error"],
  ]);
  assert.deepEqual([bench.closed, bench.left], [CLOSE.forbidden, 1]);
});

Deno.test("protocol - a session that ends while it is being admitted is refused", async () => {
  using opened = await open(undefined, false);
  const { bench, say } = opened;
  say({ type: "connection_init" });
  bench.endSession();
  bench.admission.resolve(bench.admitted);
  await delay(0);
  assert.deepEqual([bench.closed, bench.sent, bench.left], [CLOSE.forbidden, [], 1]);
});

Deno.test("protocol - a mutation that ended its own session still has its answer, for a moment", async () => {
  for (const answers of [true, false]) {
    using opened = await open();
    const { bench, subscribe } = opened;
    bench.kind = "request";
    subscribe("logout");
    bench.endSession();
    assert.equal(bench.closed, undefined);
    subscribe("another");
    assert.equal(bench.operations.length, 1);
    if (answers) {
      bench.operations[0]!.next(payload("{}"));
      bench.operations[0]!.complete();
    } else await delay(600);
    assert.deepEqual([bench.types, bench.closed], [answers ? ["next", "complete"] : ["error"], CLOSE.forbidden]);
  }
});

Deno.test("protocol - the stop waits for queries and mutations, and takes no new operations", async () => {
  using idle = await open();
  idle.subscribe("a subscription");
  idle.connection.drain();
  assert.deepEqual([idle.bench.closed, idle.bench.sent], [CLOSE.restarting, []]);

  using busy = await open();
  busy.subscribe("a subscription");
  busy.bench.kind = "request";
  busy.subscribe("a mutation");
  busy.connection.drain();
  assert.equal(busy.bench.closed, undefined);
  busy.subscribe("late");
  busy.say({ type: "ping" });
  busy.bench.operations[1]!.next(payload("{}"));
  busy.bench.operations[1]!.complete();
  assert.deepEqual(busy.bench.types, ["pong", "next", "complete"]);
  assert.deepEqual([busy.bench.closed, busy.bench.operations.length], [CLOSE.restarting, 2]);
});

Deno.test("protocol - one operation too many of a kind is refused alone, and there is room again once one ends", async () => {
  using opened = await open();
  const { bench, subscribe } = opened;
  for (const id of ["1", "2", "3", "4", "4"]) subscribe(id);
  assert.deepEqual([bench.types, bench.limits], [["error", "error"], ["operations", "operations"]]);
  bench.kind = "request";
  for (const id of ["5", "6", "7", "8"]) subscribe(id);
  assert.deepEqual([bench.types.length, bench.operations.length, bench.closed], [3, 6, undefined]);
  bench.kind = "subscription";
  bench.operations[0]!.complete();
  bench.operations[0]!.complete();
  subscribe("4");
  subscribe("9");
  assert.deepEqual([bench.types.length, bench.operations.length], [5, 7]);
});

Deno.test("protocol - messages beyond the rate are refused, and a flood closes with 1013", async () => {
  let now = 0;
  using opened = await open((bench) => {
    bench.most = { subscription: 1_000, request: 1_000 };
    bench.rate = new MessageRate(10, 20, () => now);
  });
  const { bench, subscribe } = opened;
  for (let count = 1; count <= 20; count++) subscribe(`${count}`);
  assert.deepEqual([bench.operations.length, bench.types], [19, ["error"]]);
  now += 1_100;
  subscribe("again");
  assert.equal(bench.operations.length, 20);
  for (let count = 0; bench.closed === undefined; count++) {
    assert.ok(count < 50);
    subscribe(`flood ${count}`);
  }
  assert.deepEqual(bench.closed, CLOSE.tooManyMessages);
});
