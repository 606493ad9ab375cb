/**
 * What a picture costs: drawn for each request, beside npm jdenticon and identicon.js on Node, and kept, beside a bare Deno.serve that
 * returns the same bytes. Each server has core 0 to itself, the generator core 1. Fresh processes, the order swapped each round, medians.
 */

import { reason } from "../../kit/directory.ts";
import { onCore } from "../lib/cores.ts";
import { median, printTable } from "../lib/figures.ts";
import type { Figures, GeneratorOptions } from "./generator.ts";
import { type Side, type SideName, SIDES } from "./sides.ts";

const quick = Deno.args.includes("--quick");
const ROUNDS = quick ? 1 : 3;
const WARM_UP_SECONDS = quick ? 1 : 3;
const SECONDS = quick ? 2 : 5;
const CONNECTIONS = 64;

interface Case {
  readonly name: string;
  readonly sides: readonly SideName[];
  readonly users?: number;
  /** What ours has to reach at least, as a share of each peer. */
  readonly bar: number;
}

const CASES: readonly Case[] = [
  { name: "cold", sides: ["ours", "jdenticon", "identicon.js", "imagescript"], bar: 1.5 },
  { name: "kept", sides: ["ours", "gateway", "Deno.serve"], users: 1_000, bar: 0.5 },
];

// What it starts is on this core too, but for the one that is measured.
if (!await onCore(1, Deno.pid)) console.error("no core can be chosen here (taskset): the figures are of all cores");

const found: (Figures & { readonly case: string; readonly side: SideName })[] = [];
const skipped = new Set<SideName>();
const names = Object.keys(SIDES) as SideName[];
for (let round = 0; round < ROUNDS; round++) {
  for (const one of CASES) {
    for (const side of (round % 2 === 0 ? names : names.toReversed()).filter((name) => one.sides.includes(name))) {
      if (skipped.has(side)) continue;
      console.error(`round ${round + 1} of ${ROUNDS}: ${one.name} ${side}`);
      await measure(one, side);
    }
  }
}
print();

async function measure({ name, users }: Case, sideName: SideName): Promise<void> {
  let side: Side;
  try {
    side = await SIDES[sideName]();
  } catch (error) {
    if (sideName === "ours") throw error;
    skipped.add(sideName);
    console.log(`${sideName} is skipped: ${reason(error)}`);
    return;
  }
  try {
    const { url, pid } = side;
    const times = { connections: CONNECTIONS, warmUpSeconds: WARM_UP_SECONDS, seconds: SECONDS };
    const figures = await generate({ url, pid, users, ...times });
    found.push({ case: name, side: sideName, ...figures });
  } finally {
    await side.stop();
  }
}

async function generate(options: GeneratorOptions): Promise<Figures> {
  const program = new URL("generator.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", program, JSON.stringify(options)],
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error("the generator failed");
  return JSON.parse(new TextDecoder().decode(stdout)) as Figures;
}

function of(name: string, side: SideName, pick: (one: Figures) => number): number {
  return median(found.filter((one) => one.case === name && one.side === side).map(pick));
}

function print(): void {
  console.log(`\n${CONNECTIONS} connections, ${SECONDS} s each, medians of ${ROUNDS} rounds; every picture checked\n`);
  const rows = CASES.flatMap(({ name, sides, bar }) =>
    sides.filter((side) => !skipped.has(side)).map((side) => {
      const per = (pick: (one: Figures) => number) => of(name, side, pick);
      const ratio = (of(name, "ours", (one) => one.perSecond) / per((one) => one.perSecond)).toFixed(2);
      return [
        name,
        side,
        per((one) => one.perSecond).toFixed(0),
        per((one) => one.p50Ms).toFixed(1),
        per((one) => one.p99Ms).toFixed(1),
        per((one) => one.processorMicroseconds).toFixed(0),
        per((one) => one.bytes).toFixed(0),
        per((one) => one.busy[0]).toFixed(2),
        per((one) => one.busy[1]).toFixed(2),
        ...side === "ours" || side === "gateway" ? ["", ""] : [ratio, `${bar}`],
      ];
    })
  );
  printTable(
    [
      "case",
      "server",
      "pictures/s",
      "p50 ms",
      "p99 ms",
      "CPU µs",
      "bytes",
      "its core busy",
      "the other core busy",
      "ours to it",
      "bar",
    ],
    rows,
  );
}
