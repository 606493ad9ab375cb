/** Outboxes on real sockets: what is written when, and what waits for a client that doesn't read. */

import assert from "node:assert/strict";
import { createServer, type Socket as RawSocket } from "node:net";
import { delay, withTimeLimit } from "../../kit/time.ts";
import { NextPrefix } from "./messages.ts";
import { Outbox, Outboxes, type OutboxLimits } from "./outbox.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const PREFIX = new NextPrefix("1");

/** A connection whose client reads when the test has it read. */
class Connected implements AsyncDisposable {
  isSlow = false;
  progress = 0;
  readonly outbox: Outbox;

  private constructor(
    readonly raw: RawSocket,
    private readonly client: Deno.TcpConn,
    private readonly server: ReturnType<typeof createServer>,
    all: Outboxes,
  ) {
    this.outbox = new Outbox(all, raw, { onSlow: () => this.isSlow = true, onProgress: () => this.progress++ });
    raw.on("close", () => this.outbox.destroy());
    raw.on("error", () => {});
  }

  static async open(all: Outboxes): Promise<Connected> {
    const server = createServer();
    const accepted = new Promise<RawSocket>((resolve) => server.once("connection", resolve));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const client = await Deno.connect({ hostname: "127.0.0.1", port: (server.address() as { port: number }).port });
    return new Connected(await accepted, client, server, all);
  }

  /** Fills what the kernel takes for a client that doesn't read, until something waits here. */
  async block(): Promise<void> {
    const payload = new Uint8Array(64 * KIB).fill(32);
    while (this.outbox.waitingBytes === 0) {
      this.outbox.push(PREFIX, payload);
      await delay(0);
    }
  }

  /** Reads `bytes`; the read ends where there are no more. */
  async read(bytes: number): Promise<Uint8Array> {
    const chunks = new Uint8Array(bytes);
    let at = 0;
    while (at < bytes) {
      const count = await withTimeLimit("a read", 5_000, this.client.read(chunks.subarray(at)));
      if (count === null) break;
      at += count;
    }
    return chunks.subarray(0, at);
  }

  /** Reads all there is until nothing waits. */
  async unblock(): Promise<number> {
    let read = 0;
    while (this.outbox.waitingBytes > 0) read += (await this.read(64 * KIB)).length;
    return read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.raw.destroy();
    this.client.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const open = (limits: Partial<OutboxLimits> = {}) => {
  const all = new Outboxes({ socketBytes: MIB, totalBytes: 256 * MIB, ...limits });
  return { all, connect: () => Connected.open(all) };
};
const payload = (size: number) => new Uint8Array(size).fill(32);

/** The lengths of the writes to a connection, from now on. */
function watchWrites(connected: Connected): number[] {
  return watched(connected, ({ length }) => length);
}

/** Of each write to a connection, from now on, what `of` says of it. */
function watched<Value>({ raw }: Connected, of: (bytes: Uint8Array) => Value): Value[] {
  const writes: Value[] = [];
  const { write } = raw;
  raw.write = function (this: RawSocket, ...args: unknown[]) {
    writes.push(of(args[0] as Uint8Array));
    return write.apply(this, args as never);
  } as never;
  return writes;
}

Deno.test("outbox - what one turn brings is one write, at its end", async () => {
  const { all, connect } = open();
  await using connected = await connect();
  const writes = watchWrites(connected);
  for (let count = 0; count < 100; count++) connected.outbox.push(PREFIX, payload(100));
  assert.deepEqual(writes, []);
  const bytes = 100 * (4 + PREFIX.bytes.length + 100 + 1);
  assert.equal((await connected.read(bytes)).length, bytes);
  assert.deepEqual([writes, all.frames, all.bytes, all.waitingBytes], [[bytes], 100, bytes, 0]);
});

Deno.test("outbox - who waits until what a turn brought is written is called behind it, once", async () => {
  const { all, connect } = open();
  await using connected = await connect();
  const frames: number[] = [];
  connected.outbox.push(PREFIX, payload(10));
  all.whenWritten(() => frames.push(all.frames));
  assert.deepEqual(frames, []);
  await delay(0);
  connected.outbox.push(PREFIX, payload(10));
  await delay(0);
  assert.deepEqual(frames, [1]);
});

Deno.test("outbox - much is written before the turn's end, and never more at once than a write takes", async () => {
  const { all, connect } = open();
  await using connected = await connect();
  const writes = watchWrites(connected);
  for (let count = 0; count < 40; count++) connected.outbox.push(PREFIX, payload(25 * KIB));
  assert.ok(writes.length > 0);
  while (all.frames < 40) await connected.read(64 * KIB);
  assert.equal(connected.isSlow, false);
  assert.ok(writes.length >= 8 && writes.every((length) => length <= 128 * KIB), `${writes}`);
});

Deno.test("outbox - a client that doesn't read is slow once more waits than may, and is told nothing more", async () => {
  const { all, connect } = open();
  await using connected = await connect();
  await using other = await connect();
  await connected.block();
  assert.equal(all.waitingBytes, connected.outbox.waitingBytes);
  assert.equal(connected.isSlow, false);
  while (!connected.isSlow) {
    assert.ok(connected.outbox.waitingBytes <= MIB);
    connected.outbox.push(PREFIX, payload(10 * KIB));
  }
  assert.ok(connected.outbox.waitingBytes <= 128 * KIB + 64 * KIB, "what waited behind the write in flight is dropped");
  assert.equal(all.slow, 1);
  const { waitingBytes } = connected.outbox;
  connected.outbox.push(PREFIX, payload(10 * KIB));
  assert.equal(connected.outbox.waitingBytes, waitingBytes);
  other.outbox.push(PREFIX, payload(10));
  assert.ok((await other.read(10)).length > 0);
  connected.raw.destroy();
  await delay(10);
  assert.deepEqual([all.waitingBytes, connected.outbox.waitingBytes], [0, 0]);
});

Deno.test("outbox - over the bound of all, the one for which most waits is slow", async () => {
  const { all, connect } = open({ socketBytes: 100 * MIB, totalBytes: 2 * MIB });
  await using most = await connect();
  await using less = await connect();
  await using reads = await connect();
  await Promise.all([most.block(), less.block()]);
  for (let count = 0; count < 10; count++) most.outbox.push(PREFIX, payload(100 * KIB));
  while (!most.isSlow && !less.isSlow) less.outbox.push(PREFIX, payload(KIB));
  assert.deepEqual([most.isSlow, less.isSlow, all.slow], [true, false, 1]);
  reads.outbox.push(PREFIX, payload(3 * MIB));
  while (reads.outbox.waitingBytes > 0) await reads.read(KIB * 64);
  assert.equal(reads.isSlow, false);
});

Deno.test("outbox - a message that is larger than the bound goes through to a client that reads", async () => {
  const { connect } = open({ socketBytes: 64 * KIB });
  await using connected = await connect();
  connected.outbox.push(PREFIX, payload(20 * MIB));
  await delay(10);
  connected.outbox.push(PREFIX, payload(100));
  assert.ok(connected.outbox.waitingBytes > MIB);
  await connected.unblock();
  assert.equal(connected.isSlow, false);
  assert.ok(connected.progress > 0);
});

Deno.test("outbox - room() resolves when less than half of the bound waits, or at the end", async () => {
  const { connect } = open();
  await using connected = await connect();
  assert.equal(connected.outbox.room(), undefined);
  await connected.block();
  assert.equal(connected.outbox.room(), undefined, "there is room for half of the bound");
  while (connected.outbox.room() === undefined) connected.outbox.push(PREFIX, payload(10 * KIB));
  let hasRoom = false;
  const room = connected.outbox.room()!.then(() => hasRoom = true);
  await delay(20);
  assert.equal(hasRoom, false);
  const reading = connected.unblock();
  await room;
  await reading;
  await connected.block();
  while (connected.outbox.room() === undefined) connected.outbox.push(PREFIX, payload(10 * KIB));
  const last = connected.outbox.room()!;
  connected.raw.destroy();
  await withTimeLimit("room at the end", 1_000, last);
});

Deno.test("outbox - a frame is shared within its turn and let go of at its end, however it was written", async () => {
  const { connect } = open();
  await using one = await connect();
  await using other = await connect();
  const [ones, others] = [watched(one, (bytes) => bytes), watched(other, (bytes) => bytes)];
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  // Too large to wait for the turn's end, so that nothing is left to write there.
  const large = payload(200 * KIB);
  one.outbox.push(PREFIX, large);
  other.outbox.push(PREFIX, large);
  assert.equal(ones.at(-1), others.at(-1));
  for (const { length } of ones) await Promise.all([one.read(length), other.read(length)]);
  other.outbox.push(PREFIX, large);
  assert.equal(others.length, 2);
  assert.notEqual(ones.at(-1), others.at(-1));
  await other.read(others.at(-1)!.length);

  // From what waited, once the kernel takes more.
  await one.block();
  const small = payload(20 * KIB);
  one.outbox.push(PREFIX, small);
  const written = ones.length;
  await one.unblock();
  assert.ok(ones.length > written);
  await turn();
  other.outbox.push(PREFIX, small);
  await turn();
  assert.equal(others.at(-1)!.length, ones.at(-1)!.length);
  assert.notEqual(others.at(-1), ones.at(-1));
});

Deno.test("outbox - its end comes behind all that was pushed before, and nothing after it", async () => {
  const { all, connect } = open();
  await using connected = await connect();
  let ended = false;
  connected.outbox.push(PREFIX, payload(10));
  connected.outbox.end(() => (ended = true, connected.raw.write("end")));
  connected.outbox.push(PREFIX, payload(10));
  assert.equal(ended, true);
  const bytes = 2 + PREFIX.bytes.length + 11;
  const read = await connected.read(bytes + 3);
  assert.equal(new TextDecoder().decode(read.subarray(-3)), "end");
  assert.equal(all.frames, 1);

  await using slow = await connect();
  await slow.block();
  for (let count = 0; count < 5; count++) slow.outbox.push(PREFIX, payload(50 * KIB));
  ended = false;
  slow.outbox.end(() => ended = true);
  await delay(20);
  assert.equal(ended, false);
  await slow.unblock();
  assert.deepEqual([ended, all.waitingBytes], [true, 0]);
});
