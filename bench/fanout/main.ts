/**
 * One event to 1,000 sockets: our gateway beside stock graphql-yoga with graphql-ws, a bare `ws` server and, where it is installed,
 * nats-server with its WebSocket. Each server on core 0, everything else on the others; fresh processes, the order swapped each round.
 */

import { delay } from "../../kit/time.ts";
import { median, percentile, printTable } from "../lib/figures.ts";
import { natsProgram } from "./nats.ts";
import { bare, bareAtOnce, nats, ours, SOCKETS, stock, type Target } from "./targets.ts";
import { burst, one } from "./turns.ts";
import { compareWatched } from "./watched.ts";

const quick = Deno.args.includes("--quick");
const ROUNDS = quick ? 1 : 3;
const BURST = 100;
const BURSTS = quick ? 2 : 3;
const PACED = quick ? 20 : 30;

interface Figures {
  /** Deliveries a second, from the first socket's first to the last one's last. */
  readonly perSecond: number;
  /** From the event's arrival at the server to the sockets, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the mutation to the last socket, in milliseconds. */
  readonly wholeMs: number;
  /** Of memory for each socket: once all are subscribed, after the paced ones, after the bursts. */
  readonly kilobytes: { readonly fresh: number; readonly paced: number; readonly burst: number };
}

async function measure(target: Target): Promise<Figures> {
  const memory = async () => (await target.rss() - target.emptyRss) / SOCKETS / 1024;
  const fresh = await memory();
  const latencies: number[] = [];
  const wholes: number[] = [];
  for (let nth = 0; nth < PACED; nth++) {
    const sent = await one(target);
    latencies.push(...sent.latenciesMs);
    wholes.push(sent.wholeMs);
    await delay(20);
  }
  const paced = await memory();
  const rates: number[] = [];
  // The first warms it up.
  for (let nth = 0; nth < 1 + BURSTS; nth++) {
    const { perSecond } = await burst(target, BURST);
    if (nth > 0) rates.push(perSecond);
  }
  return {
    perSecond: median(rates),
    p50Ms: median(latencies),
    p99Ms: percentile(latencies, 0.99),
    wholeMs: median(wholes),
    kilobytes: { fresh, paced, burst: await memory() },
  };
}

const SIDES = { ours: () => ours(), stock, bare, nats: () => nats(natsServer!), "bare, all at once": bareAtOnce };
const BY_DEFAULT: readonly string[] = ["ours", "stock", "bare", "nats"];
type Side = keyof typeof SIDES;
const found: { side: Side; figures: Figures }[] = [];
if (Deno.args.includes("--traced")) {
  await compareWatched(quick);
  Deno.exit(0);
}
const only = Deno.args.find((argument) => argument.startsWith("--only="))?.slice(7).split(",");
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
