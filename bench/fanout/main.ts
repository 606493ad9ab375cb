/**
 * One event to 1,000 sockets: our gateway beside stock graphql-yoga with graphql-ws, a bare `ws` server and, where it is installed,
 * nats-server with its WebSocket. Each server on core 0, everything else on the others; fresh processes, the order swapped each round.
 */

import { SECRET } from "../../tests/helpers/system.ts";
import { User } from "../../tests/helpers/client.ts";
import { delay, MINUTE } from "../../kit/time.ts";
import { median, percentile, printTable } from "../lib/figures.ts";
import { type Clients, startClients } from "./load.ts";
import { NATS_SUBSCRIBE, natsProgram, startNats } from "./nats.ts";
import { DOCUMENT, frameOf, messageOf, TOPIC_NAME } from "./payload.ts";
import { onCore } from "../lib/cores.ts";
import { processorSeconds } from "../lib/processes.ts";
import { startServer } from "../lib/servers.ts";
import { followFeed, gatewayMemory, listening, now } from "../lib/gateway.ts";
import { startUnwatched, startWatched } from "../lib/watched.ts";

const quick = Deno.args.includes("--quick");
/** Ours beside ourselves, watched: a difference of some percent takes more to be seen than one of several times. */
const watched = Deno.args.includes("--traced");
const ROUNDS = quick ? 1 : watched ? 7 : 3;
const SOCKETS = 1_000;
const BURST = 100;
const BURSTS = quick ? 2 : watched ? 40 : 3;
const PACED = quick ? 20 : watched ? 100 : 30;

interface Figures {
  /** Deliveries a second, from the first socket's first to the last one's last. */
  readonly perSecond: number;
  /** From the event's arrival at the server to the sockets, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the mutation to the last socket, in milliseconds. */
  readonly wholeMs: number;
  /** Of the processor for each delivery of the bursts, in microseconds; NaN for who isn't ours. */
  readonly processorMicroseconds: number;
  /** Of memory for each socket: once all are subscribed, after the paced ones, after the bursts. */
  readonly kilobytes: { readonly fresh: number; readonly paced: number; readonly burst: number };
}

interface Target {
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
async function start(startAs: typeof startWatched = startUnwatched) {
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

/** As it is watched: its metrics are asked for, and 1 % is traced. */
const traced = () => ours(startWatched);

async function ours(startAs: typeof startWatched = startUnwatched): Promise<Target> {
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
async function bare(): Promise<Target> {
  const { system, burst, one } = await start();
  const peer = await startPeer("bare.ts", [system.url("notifications"), SECRET]);
  const stop = async () => {
    await peer.stop();
    await system[Symbol.asyncDispose]();
  };
  return { ...peer, burst, one, stop };
}

/** The same bare server where all of a burst comes at once. */
async function bareAtOnce(): Promise<Target> {
  const { system, one } = await start();
  const peer = await startPeer("bare.ts", [system.url("notifications"), SECRET]);
  const stop = async () => {
    await peer.stop();
    await system[Symbol.asyncDispose]();
  };
  return { ...peer, one, stop };
}

async function stock(): Promise<Target> {
  return await startPeer("stock.ts", []);
}

/** Published by one connection, a burst in one write. What is published has arrived, as with stock. */
async function nats(): Promise<Target> {
  const server = await startNats(natsServer!, 0);
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

async function measure(target: Target): Promise<Figures> {
  const memory = async () => (await target.rss() - target.emptyRss) / SOCKETS / 1024;
  const fresh = await memory();
  const latencies: number[] = [];
  const wholes: number[] = [];
  for (let nth = 0; nth < PACED; nth++) {
    const sending = target.one(0);
    const { times, wrong } = await target.clients.report(1);
    const { askedAt, arrivedAt } = await sending;
    if (wrong > 0) throw new Error(`${wrong} sockets did not get the message once`);
    for (const at of times[0]!) latencies.push(at - arrivedAt);
    wholes.push(times[0]!.at(-1)! - askedAt);
    await delay(20);
  }
  const paced = await memory();
  const rates: number[] = [];
  let usedBefore = NaN;
  const used = () => target.pid === undefined ? NaN : processorSeconds(target.pid);
  // The first warms it up.
  for (let nth = 0; nth < 1 + BURSTS; nth++) {
    const sending = target.burst(BURST);
    const { firstAt, lastAt, frames, wrong } = await target.clients.report(BURST);
    await sending;
    if (wrong > 0 || frames !== BURST * SOCKETS) {
      throw new Error(`${frames} frames, ${wrong} sockets did not get each message once`);
    }
    if (nth === 0) usedBefore = used();
    else rates.push(frames / (lastAt - firstAt) * 1000);
  }
  return {
    perSecond: median(rates),
    p50Ms: median(latencies),
    p99Ms: percentile(latencies, 0.99),
    wholeMs: median(wholes),
    processorMicroseconds: (used() - usedBefore) * 1e6 / (BURSTS * BURST * SOCKETS),
    kilobytes: { fresh, paced, burst: await memory() },
  };
}

const SIDES = { ours: () => ours(), traced, stock, bare, nats, "bare, all at once": bareAtOnce };
const BY_DEFAULT: readonly string[] = ["ours", "stock", "bare", "nats"];
type Side = keyof typeof SIDES;
const found: { side: Side; figures: Figures }[] = [];
const only = watched
  ? ["ours", "traced"]
  : Deno.args.find((argument) => argument.startsWith("--only="))?.slice(7).split(",");
const wanted = (Object.keys(SIDES) as Side[]).filter((side) => (only ?? BY_DEFAULT).includes(side));
const natsServer = wanted.includes("nats") ? await natsProgram() : undefined;
if (wanted.includes("nats") && natsServer === undefined) {
  console.log("\nnats-server isn't installed, so there is no row for it (Debian: apt-get install nats-server)");
}
for (let round = 0; round < ROUNDS; round++) {
  const sides = wanted.filter((side) => side !== "nats" || natsServer !== undefined);
  for (const side of round % 2 === 0 ? sides : sides.reverse()) {
    console.error(`round ${round + 1} of ${ROUNDS}: ${side}`);
    const target = await SIDES[side]();
    try {
      found.push({ side, figures: await measure(target) });
    } finally {
      await target.stop();
    }
  }
}

const of = (side: Side, pick: (figures: Figures) => number) =>
  median(found.filter((one) => one.side === side).map(({ figures }) => pick(figures)));
console.log(
  `\n${SOCKETS} sockets, bursts of ${BURST} and ${PACED} paced ones, medians of ${ROUNDS} rounds; every frame counted\n`,
);
printTable(
  [
    "server",
    "deliveries/s",
    "paced p50 ms",
    "p99 ms",
    "asked to last socket ms",
    "KB a socket",
    "after the paced",
    "after the bursts",
  ],
  (Object.keys(SIDES) as Side[]).filter((side) => found.some((one) => one.side === side)).map((side) => [
    side,
    of(side, (one) => one.perSecond).toFixed(0),
    of(side, (one) => one.p50Ms).toFixed(1),
    of(side, (one) => one.p99Ms).toFixed(1),
    of(side, (one) => one.wholeMs).toFixed(1),
    of(side, (one) => one.kilobytes.fresh).toFixed(1),
    of(side, (one) => one.kilobytes.paced).toFixed(1),
    of(side, (one) => one.kilobytes.burst).toFixed(1),
  ]),
);
const has = (side: Side) => found.some((one) => one.side === side);
const ratio = (a: Side, b: Side, pick: (figures: Figures) => number) => (of(a, pick) / of(b, pick)).toFixed(2);
console.log();
if (has("ours") && has("traced")) {
  const against = (pick: (figures: Figures) => number) => (of("traced", pick) / of("ours", pick)).toFixed(3);
  console.log(
    `with metrics asked for and 1 % traced: burst ${against((one) => one.perSecond)} of without (bar 0.97), at ${
      against((one) => one.processorMicroseconds)
    } of the processor's time; paced p50 ${against((one) => one.p50Ms)} times as long`,
  );
  for (const side of ["ours", "traced"] as const) {
    const rounds = found.filter((one) => one.side === side);
    console.log(
      `  ${side}, round by round: ${
        rounds.map(({ figures }) =>
          `${(figures.perSecond / 1000).toFixed(0)}k/s ${figures.processorMicroseconds.toFixed(2)} µs, paced ${
            figures.p50Ms.toFixed(1)
          } ms`
        ).join("; ")
      }`,
    );
  }
}
if (has("ours") && has("stock") && has("bare")) {
  console.log(
    `burst: ${ratio("ours", "stock", (one) => one.perSecond)} of stock (bar 5), ${
      ratio("ours", "bare", (one) => one.perSecond)
    } of the bare server (bar 0.6)`,
  );
  console.log(
    `paced p50: stock takes ${ratio("stock", "ours", (one) => one.p50Ms)} times as long (bar 3); memory: stock takes ${
      ratio("stock", "ours", (one) => one.kilobytes.paced)
    } times as much (bar 6)`,
  );
}
if (has("ours") && has("nats")) {
  console.log(
    `nats-server: burst ${ratio("ours", "nats", (one) => one.perSecond)} of it; paced p50: it takes ${
      ratio("nats", "ours", (one) => one.p50Ms)
    } times as long; memory: it takes ${ratio("nats", "ours", (one) => one.kilobytes.paced)} times as much`,
  );
}
