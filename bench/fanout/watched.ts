/**
 * Ours beside itself as it is watched (`--traced`): each process asked for its metrics, and 1 % of the sends traced. As in
 * ../gateway/watched.ts both run at once and have their turns one behind the other, each held against its neighbour.
 */

import { delay } from "../../kit/time.ts";
import { median, percentile, printTable } from "../lib/figures.ts";
import { processorSeconds } from "../lib/processes.ts";
import { startUnwatched, startWatched } from "../lib/watched.ts";
import { ours, SOCKETS, type Target } from "./targets.ts";
import { burst, one } from "./turns.ts";

const ROUNDS = 3;
const PACED = 150;
const BURSTS = 40;
const BURST = 100;
const BAR = 0.97;

/** What the watched one has of the other, turn by turn. */
interface Ratios {
  readonly bursts: number[];
  readonly processor: number[];
  readonly paced: number[];
}

export async function compareWatched(quick: boolean): Promise<void> {
  const found: Ratios = { bursts: [], processor: [], paced: [] };
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    console.error(`round ${round + 1} of ${quick ? 1 : ROUNDS}`);
    const plain = await ours(startUnwatched);
    try {
      const watched = await ours(startWatched);
      try {
        await compareOnce(plain, watched, found);
      } finally {
        await watched.stop();
      }
    } finally {
      await plain.stop();
    }
  }
  console.log(
    `\n${SOCKETS} sockets each; with metrics asked for and 1 % traced, of the same without: medians, and between which ` +
      `values half of the turns lie; the bar is ${BAR} of the deliveries/s\n`,
  );
  const row = (what: string, ratios: readonly number[]) => [
    what,
    ratios.length,
    median(ratios).toFixed(3),
    `${percentile(ratios, 0.25).toFixed(2)} to ${percentile(ratios, 0.75).toFixed(2)}`,
  ];
  printTable(["", "turns", "watched of not", ""], [
    row(`deliveries/s in bursts of ${BURST}`, found.bursts),
    row("processor time of all bursts", found.processor),
    row("paced, p50 of one event", found.paced),
  ]);
}

async function compareOnce(plain: Target, watched: Target, found: Ratios): Promise<void> {
  for (const side of [plain, watched]) await burst(side, BURST);
  for (let nth = 0; nth < PACED; nth++) {
    const [without, withIt] = await both(plain, watched, nth, async (side) => {
      await delay(20);
      return median((await one(side)).latenciesMs);
    });
    found.paced.push(withIt / without);
  }
  const used = () => [plain, watched].map(({ pid }) => processorSeconds(pid!));
  const before = used();
  for (let nth = 0; nth < BURSTS; nth++) {
    const [without, withIt] = await both(plain, watched, nth, async (side) => (await burst(side, BURST)).perSecond);
    found.bursts.push(withIt / without);
  }
  const [without, withIt] = used().map((seconds, side) => seconds - before[side]!);
  found.processor.push(withIt! / without!);
}

/** One behind the other, the order swapped each time. */
async function both(
  plain: Target,
  watched: Target,
  nth: number,
  turn: (side: Target) => Promise<number>,
): Promise<[without: number, withIt: number]> {
  if (nth % 2 === 0) return [await turn(plain), await turn(watched)];
  const withIt = await turn(watched);
  return [await turn(plain), withIt];
}
