/**
 * Notifications to many clients while these are cut off, gateways are killed and drained, and what is behind them is killed: in the end
 * each client has had each of its own exactly once, in order. In: a seed. Out: what befell, or the first client that differs.
 */

import assert from "node:assert/strict";
import { delay, MINUTE, SECOND, withTimeLimit } from "../../kit/time.ts";
import { graphql, type User } from "../helpers/client.ts";
import { isUnknown, type KeyedSend, tell } from "../helpers/keyed_send.ts";
import { startSystem, type System, until } from "../helpers/system.ts";
import { Random } from "../soak/random.ts";
import { Client, LibraryClient, openRaw, openSocket, RawClient } from "./clients.ts";
import { feedOf } from "./expected.ts";
import { cutOff, Faults, plan } from "./faults.ts";
import { people } from "./people.ts";

export interface ChaosOptions {
  readonly clients: number;
  readonly topics: number;
  readonly notifications: number;
  readonly senders: number;
  /** Over how long the sends, the cuts and the faults are spread, in milliseconds. */
  readonly overMs: number;
  readonly faults: number;
  readonly cuts: number;
  /** Joins and leaves meanwhile. */
  readonly moves: number;
}

export interface ChaosResult {
  readonly faults: Record<string, number>;
  readonly sent: number;
  /** Notifications that all clients got together. */
  readonly received: number;
  /** Subscriptions behind a cursor, as clients count them. */
  readonly resumed: number;
  /** As gateways count them. */
  readonly resumes: { readonly window: number; readonly database: number };
  readonly ms: number;
}

const GATEWAYS = 2;
/** How long a sender waits for one answer, and how long it insists, in milliseconds. */
const ANSWER_LIMIT_MS = 5 * SECOND;
const INSIST_LIMIT_MS = MINUTE;
/** By then all have all, after everything is back, in milliseconds. */
const CAUGHT_UP_LIMIT_MS = 30 * SECOND;
/** How often a client is on all topics, of 1. */
const ON_ALL = 0.6;
/** How often a notification is targeted, of 1. */
const TARGETED = 0.25;

export async function chaos(random: Random, options: ChaosOptions): Promise<ChaosResult> {
  const env = { NOTIFYX_LIMITS: "off" };
  await using system = await startSystem({ durable: true, counts: { gateway: GATEWAYS }, env });
  const began = Date.now();
  const urls = Array.from({ length: GATEWAYS }, (_, nth) => system.url("gateway", nth));
  const [creator, ...users] = await people(system, options.clients + 1) as [User, ...User[]];
  const topics: string[] = [];
  while (topics.length < options.topics) topics.push(await creator.createTopic());
  const joined = users.map(() => {
    const some = topics.filter(() => random.next() < 0.3);
    return some.length > 0 ? some : [random.pick(topics)];
  });
  await move(system, "join_topic", users.flatMap(({ id }, nth) => joined[nth]!.map((topicId) => ({ id, topicId }))));

  const clients = users.map((user, nth) => makeClient(user, joined[nth]!, urls, nth, random));
  const running = clients.map((client) => client.run());
  try {
    await until("all subscribe", async () => await listeners(urls) === clients.length, 30 * SECOND);
    const first = { token: creator.token, to: [] };
    for (const topicId of topics) await insist(urls, { ...first, topicId, message: "first", key: topicId });
    // From now on each has a cursor, and may be cut off.
    await until("each has a cursor", () => clients.every(({ received }) => received.length > 0), 30 * SECOND);

    const over = new AbortController();
    const faults = new Faults(system);
    const befalling = Promise.all([
      faults.run(plan(random, options.faults, options.overMs, GATEWAYS), over.signal),
      cutOff(clients, new Random(random.seed + 1), { count: options.cuts, overMs: options.overMs }, over.signal),
      moveAbout(urls, users, topics, new Random(random.seed + 2), options, over.signal),
    ]);
    try {
      await sendAll(urls, creator, topics, users, random, options);
    } finally {
      over.abort();
      await befalling;
    }
    await system.allReady(MINUTE);
    const feed = await settledFeed(system, options.notifications);
    const expected = clients.map(({ options: { userId, topicId } }) => feed.of(userId, topicId));
    // In vain where one differs, which is told below.
    await until(
      "all have all",
      () => clients.every(({ received }, nth) => received.length >= expected[nth]!.length),
      CAUGHT_UP_LIMIT_MS,
    ).catch(() => {});
    // Nothing more comes.
    await delay(SECOND / 2);
    for (const [nth, client] of clients.entries()) compare(client, expected[nth]!);
    for (let gateway = 0; gateway < GATEWAYS; gateway++) await faults.count(gateway);
    return {
      faults: faults.counts,
      sent: feed.size,
      received: expected.reduce((sum, all) => sum + all.length, 0),
      resumed: clients.reduce((sum, { resumed }) => sum + resumed, 0),
      resumes: faults.resumes,
      ms: Date.now() - began,
    };
  } finally {
    for (const client of clients) client.stop();
    await withTimeLimit("the clients' end", 10 * SECOND, Promise.all(running));
  }
}

function makeClient(
  user: User,
  joined: readonly string[],
  urls: readonly string[],
  nth: number,
  random: Random,
): Client {
  const options = {
    urls,
    userId: user.id,
    token: user.token,
    topicId: random.next() < ON_ALL ? null : random.pick(joined),
    random: new Random(random.seed + 1_000 + nth),
  };
  const kind = nth % 3;
  return kind === 0 ? new LibraryClient(options) : new RawClient(options, kind === 1 ? openSocket : openRaw);
}

/** @throws AssertionError that says what one client lacks, has twice, or has in another order */
function compare(client: Client, expected: readonly string[]): void {
  const { received, wrong, options } = client;
  assert.deepEqual(wrong, []);
  const who = `${client.constructor.name} of ${options.topicId === null ? "all topics" : "one topic"}`;
  const lost = expected.filter((id) => !received.includes(id));
  const twice = received.filter((id, nth) => received.indexOf(id) !== nth);
  const others = received.filter((id) => !expected.includes(id));
  assert.deepEqual({ who, lost, twice, others }, { who, lost: [], twice: [], others: [] });
  assert.deepEqual(received, expected, `${who} has them in another order`);
}

/** Some targeted; over two gateways. Each goes out once, whatever happens, or is refused since a recipient left. */
async function sendAll(
  urls: readonly string[],
  { token }: User,
  topics: readonly string[],
  users: readonly User[],
  random: Random,
  { notifications, senders, overMs }: ChaosOptions,
): Promise<void> {
  const sends = Array.from({ length: notifications }, (_, nth): KeyedSend => {
    const topicId = random.pick(topics);
    const to = random.next() < TARGETED ? [random.pick(users).id, random.pick(users).id] : [];
    return { token, topicId, message: `${nth}`, key: `${nth}`, to };
  });
  const began = Date.now();
  await Promise.all(Array.from({ length: senders }, async (_, sender) => {
    for (let nth = sender; nth < sends.length; nth += senders) {
      await delay(Math.max(0, began + nth * overMs / sends.length - Date.now()));
      const told = await insist(urls, sends[nth]!);
      // To all, where those two aren't subscribed.
      if (told === "refused") await insist(urls, { ...sends[nth]!, to: [], key: `${nth} to all` });
    }
  }));
}

async function insist(urls: readonly string[], send: KeyedSend): Promise<"sent" | "refused"> {
  const giveUpAt = Date.now() + INSIST_LIMIT_MS;
  let turn = send.message.length;
  for (;;) {
    const told = await tell(urls[turn++ % urls.length]!, send, ANSWER_LIMIT_MS);
    if ("id" in told) return "sent";
    if (told.code === "BAD_USER_INPUT" && send.to!.length > 0) return "refused";
    const mayRepeat = isUnknown(told) || told.code === "TRANSACTION_ABORTED" || told.code === "TOO_MANY_REQUESTS";
    assert.ok(mayRepeat, `a send is told ${told.code}`);
    assert.ok(Date.now() < giveUpAt, `${send.message} is not known in time: ${told.code}`);
    await delay(100);
  }
}

/** Joins and leaves, which may fail while something is away: the feed knows which took place. */
async function moveAbout(
  urls: readonly string[],
  users: readonly User[],
  topics: readonly string[],
  random: Random,
  { moves, overMs }: ChaosOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let nth = 0; nth < moves && !signal.aborted; nth++) {
    await delay(overMs / moves, signal);
    const field = random.pick(["subscribeToTopic", "unsubscribeFromTopic"]);
    const { token } = random.pick(users);
    const query = `mutation ($id: ID!) { ${field}(topicId: $id) { id } }`;
    await graphql(`${random.pick(urls)}/graphql`, query, { id: random.pick(topics) }, token, SECOND).catch(() => {});
  }
}

async function move(system: System, how: string, who: readonly { id: string; topicId: string }[]): Promise<void> {
  const sql = system.database("notifications");
  await sql`select ${sql(how)}(topic, usr) from unnest(${who.map(({ topicId }) => topicId)}::uuid[],
    ${who.map(({ id }) => id)}::uuid[]) as moves (topic, usr)`;
}

async function listeners(urls: readonly string[]): Promise<number> {
  const counts = await Promise.all(urls.map(async (url) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^notifyx_delivery_listeners (\d+)$/m.exec(text)?.[1]);
  }));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Once all that was sent has its place: some of it may be committed by a recovery. */
async function settledFeed(system: System, least: number) {
  await until("nothing is in doubt or waits", async () => {
    const [row] = await system.database("notifications")`select count(*) from feed_pending`;
    return row!.count === 0 && (await system.prepared()).length === 0;
  }, 20 * SECOND);
  const feed = await feedOf(system);
  assert.ok(feed.size >= least, `${feed.size} of ${least} are in the feed`);
  return feed;
}
