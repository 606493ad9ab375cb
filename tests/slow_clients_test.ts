/** Clients that don't read: they cost what their bound says, are closed as slow, and nobody else notices. */

import assert from "node:assert/strict";
import { delay, SECOND, withTimeLimit } from "../kit/time.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { type SocketServer, startSocketServer } from "./helpers/socket_server.ts";
import { until } from "./helpers/system.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const BUFFER_BYTES = 256 * KIB;
const GOOD = 900;
const BAD = 100;
const EVENTS = 60;
/** Of each event what a client that doesn't read is sent, in bytes: 15 MiB in all, more than any kernel keeps for it. */
const BIG = 256 * KIB;
const BIG_SUBSCRIPTION = {
  query: "subscription ($bytes: Int) { events(bytes: $bytes) }",
  variables: { bytes: BIG },
};

/** Receives events of some bytes, and checks each: its number, in order, none missing. */
class Reader {
  received = 0;
  readonly latencies: number[] = [];

  static async open(server: SocketServer, token: string): Promise<Reader> {
    const socket = await RawSocket.open(server.graphqlUrl, token);
    const reader = new Reader(socket);
    socket.onText = (text) => {
      const [number, sentAt] = /"events":"(\d+) (\d+) /.exec(text)!.slice(1).map(Number);
      assert.equal(number, reader.received++);
      reader.latencies.push(Date.now() - sentAt!);
    };
    await socket.send({ id: crypto.randomUUID(), type: "subscribe", payload: { query: "subscription { events }" } });
    return reader;
  }

  private constructor(readonly socket: RawSocket) {}
}

/** The 99th percentile of the latencies since the last call, in milliseconds. */
function p99(readers: readonly Reader[]): number {
  const all = readers.flatMap(({ latencies }) => latencies.splice(0)).sort((a, b) => a - b);
  return all[Math.floor(all.length * 0.99)]!;
}

Deno.test("slow clients - 100 of 1,000 never read: memory stays bounded, the others lose nothing and are as fast", async () => {
  await using server = await startSocketServer({
    NOTIFYX_SOCKET_BUFFER_BYTES: `${BUFFER_BYTES}`,
    NOTIFYX_LIMITS: "off",
  });
  const readers: Reader[] = [];
  for (let count = 0; count < GOOD; count += 50) {
    readers.push(...await Promise.all(Array.from({ length: 50 }, (_, n) => Reader.open(server, `good-${count + n}`))));
  }
  const bad: RawSocket[] = [];
  for (let count = 0; count < BAD; count++) bad.push(await RawSocket.open(server.graphqlUrl, `bad-${count}`));
  let published = 0;
  /** Publishes one event and waits until the good ones have it. */
  const publish = async () => {
    await server.publish(published, ++published);
    await until("all have it", () => readers.every(({ received }) => received === published));
  };
  /** The best of some rounds: the machine has other things to do. */
  const bestP99 = async (rounds: number) => {
    let best = Infinity;
    for (let round = 0; round < rounds; round++) {
      await publish();
      best = Math.min(best, p99(readers));
    }
    return best;
  };
  await until("all listen", async () => (await server.stats()).running === GOOD);
  await bestP99(5);
  const alone = await bestP99(10);

  for (const socket of bad) {
    socket.stopReading();
    await socket.send({ id: "big", type: "subscribe", payload: BIG_SUBSCRIPTION });
  }
  await until("all listen", async () => (await server.stats()).running === GOOD + BAD);
  const before = (await server.stats()).rss;
  let most = 0;
  let beside = Infinity;
  for (let event = 0; event < EVENTS; event++) {
    beside = Math.min(beside, await bestP99(1));
    if (event % 5 === 0) most = Math.max(most, (await server.stats()).rss);
  }
  // For each what may wait for it, the write in flight, and one message over; and what the heap takes for the work itself.
  const bound = BAD * (BUFFER_BYTES + 128 * KIB + BIG) + 64 * MIB;
  assert.ok(most - before < bound, `${(most - before) / MIB} MiB are over ${bound / MIB}`);
  assert.equal(await server.metric('notifyx_delivery_limited_total{kind="slow"}'), BAD);
  assert.ok(beside <= 2 * alone + 5, `p99 was ${alone} ms, and is ${beside} ms beside slow clients`);

  // One that reads on is told why it was closed; the others are gone in a while.
  const [late, ...others] = bad;
  late!.goOnReading();
  const { code, reason } = await withTimeLimit("the close", 10 * SECOND, late!.closed);
  const told = code === 1013 && reason === "slow";
  assert.ok(told || code === 1006, `${code} ${reason}`);
  await until("they are gone", async () => await server.metric("notifyx_delivery_sockets") === GOOD, 10 * SECOND);
  assert.equal(await server.metric("notifyx_delivery_waiting_bytes"), 0);
  await publish();
  assert.ok(readers.every(({ received, socket }) => received === published && !socket.isClosed));
  for (const socket of others) socket[Symbol.dispose]();
  for (const { socket } of readers) socket[Symbol.dispose]();
});

Deno.test("slow clients - one that reads again in time gets all that was written, then 1013", async () => {
  await using server = await startSocketServer({ NOTIFYX_SOCKET_BUFFER_BYTES: `${BUFFER_BYTES}` });
  using socket = await RawSocket.open(server.graphqlUrl, "ann");
  await socket.send({ id: "big", type: "subscribe", payload: BIG_SUBSCRIPTION });
  await until("it listens", async () => (await server.stats()).running === 1);
  let received = 0;
  socket.onText = (text) => assert.equal(Number(/"events":"(\d+) /.exec(text)![1]), received++);
  socket.stopReading();
  for (let event = 0; (await server.stats()).running === 1; event++) await server.publish(event, event + 1);
  await delay(SECOND);
  socket.goOnReading();
  assert.deepEqual(await withTimeLimit("the close", 5 * SECOND, socket.closed), { code: 1013, reason: "slow" });
  assert.ok(received > 1);
});

Deno.test("slow clients - one that reads slowly but reads is no slow client, and no dead one", async () => {
  await using server = await startSocketServer();
  using socket = await RawSocket.open(server.graphqlUrl, "ann");
  await socket.send({ id: "big", type: "subscribe", payload: BIG_SUBSCRIPTION });
  await until("it listens", async () => (await server.stats()).running === 1);
  let received = 0;
  socket.onText = () => void received++;
  for (let event = 0; event < 40; event++) {
    socket.stopReading();
    await server.publish(event, event + 1);
    await delay(10);
    socket.goOnReading();
    await until("some of it is read", () => received > event - 3);
  }
  await until("all came", () => received === 40);
});
