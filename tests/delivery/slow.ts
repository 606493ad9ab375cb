/**
 * 100 of 1,000 clients of the whole system stop reading: the gateway's memory stays under a bound, the other 900 lose nothing and get
 * theirs as soon as before, and the 100, once they read again, go on behind their last cursors and have each notification once. Each of
 * them has a document of its own, so that what waits for it is its own as well, and is sent long ones besides, which fill what the kernel
 * keeps for it.
 */

import assert from "node:assert/strict";
import { delay, SECOND, withTimeLimit } from "../../kit/time.ts";
import type { User } from "../helpers/client.ts";
import { RawSocket } from "../helpers/raw_socket.ts";
import { listening, metric, startSystem, type System, until } from "../helpers/system.ts";
import { people } from "./people.ts";

const MIB = 1024 ** 2;
const GOOD = 900;
const BAD = 100;
const GOOD_USERS = 20;
/** The longest that a message may be: 40 kB each. */
const FILLING = "📣".repeat(9_950);
const FILLINGS_AT_ONCE = 10;
/** Gateways' defaults: what may wait for a socket, and be in flight to it. */
const BUFFER_BYTES = MIB;
const WRITE_BYTES = MIB / 8;
/** Rounds before they stop reading. */
const ALONE = 15;
/** And at most until they are slow: more than any kernel keeps for each. */
const MOST = 200;
/** How many all are sent in a round. */
const SENDS = 4;
/** What a slow client is given to read its close, and what it takes to notice. */
const CUT_OFF_MS = 15 * SECOND;
/** How often it is tried: the machine has other things to do. What is slower for a reason is so each time. */
const ATTEMPTS = 3;
/**
 * What the gateway's memory may grow by: for each of the 100 what may wait for it, with its frame, and the write in flight; the window of
 * recent events, of 16 million characters; and what the heap takes until it is collected.
 */
const BOUND = BAD * (2 * BUFFER_BYTES + WRITE_BYTES) + 32 * MIB + 128 * MIB;

/** A subscription that ends with one of these is begun again. */
const AGAIN = /"code":"(SERVICE_UNAVAILABLE|TIMEOUT|TOO_MANY_REQUESTS)"/;

class Reader {
  readonly received: number[] = [];
  readonly latencies: number[] = [];
  #cursor: string | null = null;
  #socket: RawSocket | undefined;

  constructor(private readonly url: string, private readonly token: string, private readonly fields: string) {}

  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#socket.isClosed;
  }

  /** Subscribes, behind its last cursor if it has one. */
  async open(): Promise<void> {
    const socket = this.#socket = await RawSocket.open(this.url, this.token);
    socket.onText = (text) => this.#take(text, Date.now());
    await this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    const query =
      `subscription ($after: String) { notificationReceived(after: $after) { message cursor ${this.fields} } }`;
    await this.#socket!.send({ id: "1", type: "subscribe", payload: { query, variables: { after: this.#cursor } } });
  }

  stopReading(): void {
    this.#socket!.stopReading();
  }

  close(): void {
    this.#socket?.[Symbol.dispose]();
    this.#socket = undefined;
  }

  #take(text: string, at: number): void {
    // Most of 40 kB are of no interest.
    const [, number, sentAt] = /"message":"(\d+) (\d+) /.exec(text) ?? [];
    if (number === undefined && AGAIN.test(text)) return void delay(SECOND).then(() => this.#subscribe());
    assert.ok(number !== undefined, text);
    this.received.push(Number(number));
    this.latencies.push(at - Number(sentAt));
    this.#cursor = /"cursor":"([^"]+)"/.exec(text)![1]!;
  }
}

/** What is sent, and to whom. */
class Sender {
  /** The numbers of what all are sent, and of what the 100 are sent besides. */
  readonly toAll: number[] = [];
  readonly toSome: number[] = [];
  #last = 0;

  constructor(
    private readonly creator: User,
    private readonly topicId: string,
    private readonly some: readonly string[],
    /** One who gets what the 100 get, and reads it. */
    private readonly witness: Reader,
  ) {}

  /** A few to all, each once all of `readers`, who get nothing else or have all of it, have the one before. */
  async few(readers: readonly Reader[]): Promise<void> {
    for (let nth = 0; nth < SENDS; nth++) {
      const before = readers.map(({ received }) => received.length);
      const number = ++this.#last;
      this.toAll.push(number);
      await this.creator.send(this.topicId, `${number} ${Date.now()} to all`);
      const has = ({ received }: Reader, at: number) => received.length === before[at]! + 1;
      await until("all have it", () => readers.every(has), 20 * SECOND);
    }
  }

  /** Long ones to the 100, whose work is done when it resolves, so that it is in nobody's times. */
  async fill(): Promise<void> {
    await Promise.all(Array.from({ length: FILLINGS_AT_ONCE }, async () => {
      const number = ++this.#last;
      this.toSome.push(number);
      await this.creator.send(this.topicId, `${number} ${Date.now()} ${FILLING}`, [...this.some]);
    }));
    const sent = this.toAll.length + this.toSome.length;
    await until("the witness has it", () => this.witness.received.length === sent, 20 * SECOND);
  }
}

export interface SlowResult {
  /** The 99th percentile of the 900's times from the mutation, in milliseconds: while all read, and from then until all slow ones are gone. */
  readonly aloneMs: number;
  readonly besideMs: number;
  readonly slow: number;
  readonly grownMiB: number;
  readonly boundMiB: number;
  readonly sent: number;
}

/** @throws AssertionError where memory or a client isn't as it has to be; with times that are too long it tries again, and then throws */
export async function slowClients(): Promise<SlowResult> {
  await using system = await startSystem({ env: { NOTIFYX_LIMITS: "off" } });
  const [creator, ...users] = await people(system, 1 + BAD + GOOD_USERS) as [User, ...User[]];
  const [some, others] = [users.slice(0, BAD), users.slice(BAD)];
  const topicId = await creator.createTopic();
  const ids = users.map(({ id }) => id);
  await system.database("notifications")`select join_topic(${topicId}, id) from unnest(${ids}::uuid[]) as one (id)`;
  const bad = some.map(({ token }, nth) => new Reader(system.graphqlUrl, token, `own${nth}: createdAt`));
  const good = Array.from(
    { length: GOOD },
    (_, nth) => new Reader(system.graphqlUrl, others[nth % GOOD_USERS]!.token, ""),
  );
  const witness = new Reader(system.graphqlUrl, some[0]!.token, "");
  const sender = new Sender(creator, topicId, some.map(({ id }) => id), witness);
  const all = [...good, ...bad, witness];
  try {
    for (let from = 0; from < all.length; from += 50) await openAll(all.slice(from, from + 50));
    await listening(system, GOOD + BAD + 1);
    for (let attempt = 1;; attempt++) {
      const found = await round(system, good, bad, sender);
      // They come back, and have missed nothing.
      await openAll(bad);
      const sent = sender.toAll.length + sender.toSome.length;
      await until("the slow ones have all", () => bad.every(({ received }) => received.length === sent), 60 * SECOND);
      for (const { received } of good) assert.deepEqual(received, sender.toAll);
      for (const { received } of bad) {
        // Those that were sent at once have no order but the feed's.
        assert.deepEqual(received, bad[0]!.received);
        assert.deepEqual(received.toSorted((a, b) => a - b), [...sender.toAll, ...sender.toSome].sort((a, b) => a - b));
      }
      const told = { ...found, boundMiB: BOUND / MIB, sent };
      // On a busy machine some are taken for dead before they are slow.
      if (found.slow >= BAD / 2 && found.besideMs <= 2 * found.aloneMs) return told;
      assert.ok(attempt < ATTEMPTS, JSON.stringify(told));
    }
  } finally {
    for (const one of all) one.close();
  }
}

async function round(
  system: System,
  good: readonly Reader[],
  bad: readonly Reader[],
  sender: Sender,
): Promise<Omit<SlowResult, "sent" | "boundMiB">> {
  const url = system.url();
  const slowOnes = async () => await metric(url, 'notifyx_delivery_limited_total{kind="slow"}') || 0;
  const rss = () => metric(url, "notifyx_process_resident_memory_bytes");
  const sockets = () => metric(url, "notifyx_delivery_sockets");
  const all = [...good, ...bad];
  await sender.few(all);
  p99(good);
  let before = 0;
  for (let nth = 0; nth < ALONE; nth++) {
    await sender.fill();
    const sent = sender.toAll.length + sender.toSome.length;
    await until("they have it", () => bad.every(({ received }) => received.length === sent), 20 * SECOND);
    await sender.few(all);
    before = Math.max(before, await rss());
  }
  const aloneMs = p99(good);
  const slowBefore = await slowOnes();

  for (const one of bad) one.stopReading();
  let grown = 0;
  let slow = 0;
  for (let nth = 0; slow < BAD && await sockets() > GOOD + 1; nth++) {
    assert.ok(nth < MOST, `${slow} are slow`);
    await sender.fill();
    await sender.few(good);
    grown = Math.max(grown, await rss() - before);
    assert.ok(grown < BOUND, `${grown / MIB} MiB are over ${BOUND / MIB}`);
    slow = await slowOnes() - slowBefore;
  }
  // By itself: the many quiet moments behind it would hide what is slow here.
  const stuckMs = p99(good);
  await withTimeLimit(
    "the slow ones' end",
    CUT_OFF_MS,
    (async () => {
      do await sender.few(good); while (await sockets() > GOOD + 1);
    })(),
  );
  const besideMs = Math.max(stuckMs, p99(good));
  assert.ok(good.every(({ isOpen }) => isOpen));
  assert.equal(await metric(url, "notifyx_delivery_waiting_bytes"), 0);
  for (const one of bad) one.close();
  for (const { latencies } of bad) latencies.length = 0;
  return { aloneMs, besideMs, slow, grownMiB: Math.round(grown / MIB) };
}

async function openAll(readers: readonly Reader[]): Promise<void> {
  await Promise.all(readers.map((one) => one.open()));
}

/** The 99th percentile of the latencies since the last call, in milliseconds. */
function p99(readers: readonly Reader[]): number {
  const all = readers.flatMap(({ latencies }) => latencies.splice(0)).sort((a, b) => a - b);
  return all[Math.floor(all.length * 0.99)]!;
}
