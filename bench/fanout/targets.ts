/** Who is measured: a server on core 0 with 1,000 subscribed sockets. */

import { delay, MINUTE } from "../../kit/time.ts";
import { User } from "../../tests/helpers/client.ts";
import { SECRET } from "../../tests/helpers/system.ts";
import { onCore } from "../lib/cores.ts";
import { followFeed, gatewayMemory, listening, now } from "../lib/gateway.ts";
import { startServer } from "../lib/servers.ts";
import { startUnwatched } from "../lib/watched.ts";
import { type Clients, startClients } from "./load.ts";
import { NATS_SUBSCRIBE, startNats } from "./nats.ts";
import { DOCUMENT, frameOf, messageOf, TOPIC_NAME } from "./payload.ts";

export const SOCKETS = 1_000;

export interface Target {
  readonly clients: Clients;
  /** Has `count` sent at once. */
  burst(count: number): Promise<void>;
  /** Has one sent; when it arrived at the server, and when it was asked for, in milliseconds since 1970. */
  one(nth: number): Promise<{ askedAt: number; arrivedAt: number }>;
  rss(): Promise<number>;
  readonly pid?: number;
  readonly emptyRss: number;
  stop(): Promise<void>;
}

/** A system whose gateway is on core 0, with a topic to which 20 users are subscribed. */
async function start(startAs: typeof startUnwatched = startUnwatched) {
  const { system, stop } = await startAs({ env: { NOTIFYX_LIMITS: "off" } });
  for (const { kind, process } of system.cluster.nodes) await onCore(kind.kind === "gateway" ? 0 : 1, process.pid!);
  const ann = await User.register(system);
  const users = await Promise.all(Array.from({ length: 20 }, () => User.register(system)));
  const topicId = await ann.createTopic(TOPIC_NAME);
  for (const user of users) await user.join(topicId);
  const arrivals = await followFeed(system.url("notifications"), SECRET);
  return {
    system,
    stop,
    users,
    async burst(count: number) {
      await Promise.all(Array.from({ length: count }, (_, nth) => ann.send(topicId, messageOf(nth))));
    },
    async one(nth: number) {
      const askedAt = now();
      await ann.send(topicId, messageOf(nth));
      return { askedAt, arrivedAt: arrivals.get(messageOf(nth))! };
    },
  };
}

export async function ours(startAs: typeof startUnwatched = startUnwatched): Promise<Target> {
  const { system, stop: stopSystem, users, burst, one } = await start(startAs);
  const rss = () => gatewayMemory(system.url());
  const emptyRss = await rss();
  const clients = await startClients({
    url: system.graphqlUrl.replace("http", "ws"),
    protocol: "graphql-transport-ws",
    sockets: SOCKETS,
    frames: "messages",
    ids: "own",
    says: users.map(({ token }) => [
      JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }),
      null,
      JSON.stringify({ id: "$ID", type: "subscribe", payload: { query: DOCUMENT } }),
    ]),
  });
  await listening(system.url(), SOCKETS);
  const stop = async () => {
    await clients.stop();
    await stopSystem();
  };
  const { pid } = system.cluster.nodes.find(({ kind }) => kind.kind === "gateway")!.process;
  return { clients, emptyRss, rss, pid: pid!, burst, one, stop };
}

/** A bare server in the place of the gateway's delivery: the gateway does the same transactions, on the same core. */
export async function bare(): Promise<Target> {
  const { system, burst, one } = await start();
  const peer = await startPeer("bare.ts", [system.url("notifications"), SECRET]);
  const stop = async () => {
    await peer.stop();
    await system[Symbol.asyncDispose]();
  };
  return { ...peer, burst, one, stop };
}

/** The same bare server where all of a burst comes at once. */
export async function bareAtOnce(): Promise<Target> {
  const { system, one } = await start();
  const peer = await startPeer("bare.ts", [system.url("notifications"), SECRET]);
  const stop = async () => {
    await peer.stop();
    await system[Symbol.asyncDispose]();
  };
  return { ...peer, one, stop };
}

export async function stock(): Promise<Target> {
  return await startPeer("stock.ts", []);
}

/** Published by one connection, a burst in one write. What is published has arrived, as with stock. */
export async function nats(program: string): Promise<Target> {
  const server = await startNats(program, 0);
  const emptyRss = await server.rss();
  const clients = await startClients({
    url: server.webSocketUrl,
    protocol: "",
    sockets: SOCKETS,
    frames: "nats",
    ids: "same",
    says: [[NATS_SUBSCRIBE, null]],
  });
  return {
    clients,
    emptyRss,
    rss: server.rss,
    burst: (count) => server.publish(Array.from({ length: count }, (_, nth) => frameOf(nth))),
    async one(nth) {
      const at = now();
      await server.publish([frameOf(nth)]);
      return { askedAt: at, arrivedAt: at };
    },
    async stop() {
      await clients.stop();
      await server.stop();
    },
  };
}

async function startPeer(program: "stock.ts" | "bare.ts", args: string[]): Promise<Target> {
  const server = await startServer(new URL(program, import.meta.url), args, 0);
  const url = `http://127.0.0.1:${server.line}`;
  const rss = async () => Number(await (await fetch(`${url}/rss`)).text());
  const emptyRss = await rss();
  const clients = await startClients({
    url: `ws://127.0.0.1:${server.line}/graphql`,
    protocol: "graphql-transport-ws",
    sockets: SOCKETS,
    frames: "messages",
    ids: "own",
    says: [[
      JSON.stringify({ type: "connection_init" }),
      null,
      ...program === "stock.ts" ? [JSON.stringify({ id: "$ID", type: "subscribe", payload: { query: DOCUMENT } })] : [],
    ]],
  });
  const subscribed = async () => Number(await (await fetch(`${url}/subscribed`)).text());
  const giveUpAt = Date.now() + MINUTE;
  while (await subscribed() < SOCKETS) {
    if (Date.now() > giveUpAt) throw new Error(`${await subscribed()} of ${SOCKETS} sockets are subscribed`);
    await delay(50);
  }
  return {
    clients,
    emptyRss,
    rss,
    burst: async (count) => void await (await fetch(`${url}/burst?count=${count}`, { method: "POST" })).text(),
    async one(nth) {
      const askedAt = now();
      return { askedAt, arrivedAt: Number(await (await fetch(`${url}/one?nth=${nth}`, { method: "POST" })).text()) };
    },
    async stop() {
      await clients.stop();
      await server.stop();
    },
  };
}
