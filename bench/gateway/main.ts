/**
 * What a query through the gateway costs: ours beside Hive Gateway and beside stock graphql-yoga with @graphql-tools/stitch, in front of the
 * same three subgraphs. Each has core 0 to itself; the generator and all else are on core 1. Fresh processes, the order swapped each round.
 */

import { reason } from "../../kit/directory.ts";
import { onCore } from "../lib/cores.ts";
import { median, printTable } from "../lib/figures.ts";
import { residentMib } from "../lib/processes.ts";
import { startServer } from "../lib/servers.ts";
import { type Case, CASES, FIXED, ME } from "./cases.ts";
import type { Figures } from "./generator.ts";
import { check, CONNECTIONS, generate } from "./load.ts";
import { type Side, type SideName, SIDES } from "./sides.ts";
import { compareWatched } from "./watched.ts";

const quick = Deno.args.includes("--quick");
const ROUNDS = quick ? 1 : 3;
const WARM_UP_SECONDS = quick ? 3 : 5;
const SECONDS = quick ? 3 : 5;
const RSS_BAR = 0.4;
/** What share of the measured server's core may be others': the kernel's work for the network counts there too. */
const MOST_SHARED = 0.2;
const BY_DEFAULT: SideName[] = ["ours", "hive", "yoga", "node:http", "Deno.serve"];

interface Found extends Figures {
  readonly side: SideName;
  readonly name: string;
  readonly rssMib: number;
}

const only = Deno.args.find((argument) => argument.startsWith("--only="))?.slice(7).split(",");
const unknown = only?.filter((name) => !Object.hasOwn(SIDES, name)) ?? [];
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(", ")}: --only takes ${Object.keys(SIDES).join(", ")}`);
  Deno.exit(2);
}
const names = (only ?? BY_DEFAULT) as SideName[];
// What it starts is on this core too, but for the one that is measured.
if (!await onCore(1, Deno.pid)) console.error("no core can be chosen here (taskset): the figures are of all cores");

const found: Found[] = [];
const skipped = new Set<SideName>();
const subgraphs = await startServer(new URL("subgraphs.ts", import.meta.url), [], 1);
const urls = JSON.parse(subgraphs.line) as Record<string, string>;
try {
  if (Deno.args.includes("--traced")) await compareWatched(urls, quick);
  else await compareWithPeers();
} finally {
  await subgraphs.stop();
}

async function compareWithPeers(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      if (skipped.has(name)) continue;
      console.error(`round ${round + 1} of ${ROUNDS}: ${name}`);
      await measure(name);
    }
  }
  print();
}

async function measure(name: SideName): Promise<void> {
  let side: Side;
  try {
    side = await SIDES[name](urls);
  } catch (error) {
    if (name === "ours") throw error;
    skipped.add(name);
    console.log(`${name} is skipped: ${reason(error)}`);
    return;
  }
  try {
    for (const one of casesOf(name)) {
      if ("expected" in one) await check(side, one);
      const figures = await generate(side, one, { warmUpSeconds: WARM_UP_SECONDS, seconds: SECONDS });
      found.push({ side: name, name: one.name, rssMib: residentMib(side.pid), ...figures });
    }
  } finally {
    await side.stop();
  }
}

function casesOf(name: SideName): (Case | typeof ME)[] {
  if (name === "ours") return [...CASES, ME];
  return name === "node:http" || name === "Deno.serve" ? [FIXED] : [...CASES];
}

function of(side: SideName, name: string, pick: (one: Found) => number): number {
  return median(found.filter((one) => one.side === side && one.name === name).map(pick));
}

function print(): void {
  console.log(`\n${CONNECTIONS} connections, ${SECONDS} s each, medians of ${ROUNDS} rounds; every answer checked\n`);
  const measured = [...new Set(found.map(({ side, name }) => `${name} ${side}`))].map((both) =>
    both.split(" ") as [string, SideName]
  );
  const order = [...CASES, ME, FIXED].map(({ name }) => name);
  measured.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  printTable(
    [
      "case",
      "server",
      "answers/s",
      "p50 ms",
      "p99 ms",
      "CPU µs",
      "RSS MiB",
      "has of its core",
      "its core busy",
      "the other core busy",
    ],
    measured.map(([name, side]) => [
      name,
      side,
      of(side, name, (one) => one.perSecond).toFixed(0),
      of(side, name, (one) => one.p50Ms).toFixed(1),
      of(side, name, (one) => one.p99Ms).toFixed(1),
      of(side, name, (one) => one.processorMicroseconds).toFixed(0),
      of(side, name, (one) => one.rssMib).toFixed(0),
      of(side, name, (one) => one.processorShare).toFixed(2),
      of(side, name, (one) => one.busy[0]).toFixed(2),
      of(side, name, (one) => one.busy[1]).toFixed(2),
    ]),
  );
  if (found.some(({ busy, processorShare }) => processorShare < busy[0] - MOST_SHARED)) {
    console.log("\nothers used its core as well: only CPU µs and RSS say something");
  }
  const has = (side: SideName) => found.some((one) => one.side === side);
  if (has("ours") && has("Deno.serve")) {
    const me = of("ours", ME.name, (one) => one.perSecond);
    const ceiling = of("Deno.serve", FIXED.name, (one) => one.perSecond);
    console.log(
      `\n{ me { email sentCount } unseenCount } on the system: ${me.toFixed(0)}/s, ${
        (me / ceiling).toFixed(3)
      } of what ` +
        `Deno.serve gives with nothing behind it (${ceiling.toFixed(0)}/s)`,
    );
  }
  if (!has("ours") || !has("hive")) return;
  const ratio = (name: string, other: SideName, pick: (one: Found) => number) =>
    has(other) ? shown(of("ours", name, pick) / of(other, name, pick)) : "";
  console.log();
  printTable(["case", "of Hive", "bar", "by CPU µs", "of yoga"], [
    ...CASES.map(({ name, bar }) => [
      name,
      ratio(name, "hive", (one) => one.perSecond),
      `${bar ?? ""}`,
      ratio(name, "hive", (one) => 1 / one.processorMicroseconds),
      ratio(name, "yoga", (one) => one.perSecond),
    ]),
    ["RSS at the end", rssRatio("hive"), `at most ${RSS_BAR}`, "", has("yoga") ? rssRatio("yoga") : ""],
  ]);
}

function shown(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : "-";
}

/** After the last of the cases that both have. */
function rssRatio(other: SideName): string {
  const last = CASES.at(-1)!.name;
  return (of("ours", last, (one) => one.rssMib) / of(other, last, (one) => one.rssMib)).toFixed(2);
}
