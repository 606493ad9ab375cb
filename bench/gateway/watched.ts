/**
 * Ours beside itself as it is watched (`--traced`): each process asked for its metrics, and 1 % traced. A difference of some percent is less
 * than a machine changes from one second to the next, and than two processes of the same code differ: so both run at once, are asked in
 * short turns, one behind the other, and each turn is held against its neighbour; and there are fresh processes several times.
 */

import { median, percentile, printTable } from "../lib/figures.ts";
import { startUnwatched, startWatched } from "../lib/watched.ts";
import { CASES, ME } from "./cases.ts";
import type { Figures } from "./generator.ts";
import { check, generate } from "./load.ts";
import { ours, type Urls } from "./sides.ts";

const ROUNDS = 3;
const TURNS = 6;
const WARM_UP = { warmUpSeconds: 2, seconds: 1 };
const TURN = { warmUpSeconds: 0.5, seconds: 1.5 };
const BAR = 0.97;

/** What the watched one has of the other in one turn. */
interface Ratio {
  readonly name: string;
  readonly answers: number;
  readonly processor: number;
}

export async function compareWatched(urls: Urls, quick: boolean): Promise<void> {
  const rounds = quick ? 1 : ROUNDS;
  const found: Ratio[] = [];
  for (let round = 0; round < rounds; round++) {
    console.error(`round ${round + 1} of ${rounds}`);
    found.push(...await compareOnce(urls));
  }
  console.log(
    `\nwith metrics asked for and 1 % traced, of the same without: the medians of ${
      rounds * TURNS
    } turns, and between ` +
      `which values half of them lie; the bar is ${BAR} of the answers\n`,
  );
  const row = (name: string) => {
    const own = found.filter((one) => one.name === name);
    return [name, ...shown(own.map(({ answers }) => answers)), ...shown(own.map(({ processor }) => processor))];
  };
  printTable(["case", "answers/s", "", "CPU µs", ""], [...CASES, ME].map(({ name }) => row(name)));
  const all = (pick: (one: Ratio) => number) => median(found.map(pick)).toFixed(3);
  console.log(
    `\nall cases: ${all((one) => one.answers)} of the answers/s, ${all((one) => one.processor)} of the CPU µs`,
  );
}

async function compareOnce(urls: Urls): Promise<Ratio[]> {
  const plain = await ours(urls, startUnwatched);
  try {
    const watched = await ours(urls, startWatched);
    try {
      const found: Ratio[] = [];
      for (const one of [...CASES, ME]) {
        for (const side of [plain, watched]) {
          if ("expected" in one) await check(side, one);
          await generate(side, one, WARM_UP);
        }
        for (let turn = 0; turn < TURNS; turn++) {
          const both = new Map<typeof plain, Figures>();
          for (const side of turn % 2 === 0 ? [plain, watched] : [watched, plain]) {
            both.set(side, await generate(side, one, TURN));
          }
          const [without, withIt] = [both.get(plain)!, both.get(watched)!];
          found.push({
            name: one.name,
            answers: withIt.perSecond / without.perSecond,
            processor: withIt.processorMicroseconds / without.processorMicroseconds,
          });
        }
      }
      return found;
    } finally {
      await watched.stop();
    }
  } finally {
    await plain.stop();
  }
}

/** The median, and what half of all lies between. */
function shown(ratios: readonly number[]): [string, string] {
  const [low, high] = [percentile(ratios, 0.25), percentile(ratios, 0.75)];
  return [median(ratios).toFixed(3), `${low.toFixed(2)} to ${high.toFixed(2)}`];
}
