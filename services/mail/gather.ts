/**
 * Many calls in one statement (npm `dataloader`): what is asked for while a statement runs goes into the next one. So a single mail waits
 * for nothing, and a thousand cost the database as few statements as it can keep up with.
 */

import DataLoader from "dataloader";

/** The most of one statement: also what fits into one NOTIFY, of 8,000 bytes. */
const MOST = 100;

/** @param run answers all of its keys, in their order; what it throws, each of them throws */
export function gather<K, V>(run: (keys: readonly K[]) => Promise<readonly V[]>): (key: K) => Promise<V> {
  let last: Promise<unknown> = Promise.resolve();
  const loader = new DataLoader<K, V>((keys) => {
    const running = run(keys);
    last = running.catch(() => {});
    return running;
  }, {
    cache: false,
    maxBatchSize: MOST,
    batchScheduleFn: (begin) => void last.then(() => setTimeout(begin, 0)),
  });
  return (key) => loader.load(key);
}
