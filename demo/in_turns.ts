/** Work on many things, of which some are done at the same time. */

import { SECOND } from "../kit/time.ts";

const AT_ONCE = 4;
/** How often it is told how far it is, in milliseconds. */
const TOLD_EVERY_MS = 5 * SECOND;

/** What came of each, in their order. `tell` hears how many are done, where it takes its time. */
export async function inTurns<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  tell?: (done: number) => void,
): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  let count = 0;
  let toldAt = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < items.length) {
      const nth = next++;
      done[nth] = await work(items[nth]!);
      count++;
      if (performance.now() - toldAt < TOLD_EVERY_MS) continue;
      toldAt = performance.now();
      tell?.(count);
    }
  }));
  return done;
}
