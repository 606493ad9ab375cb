/**
 * How one instance answers this gateway's calls: how many, how many of them failed, and how long the latest took. In: each call's end, but
 * for those that were given up since nobody waited any more. Out: figures, reckoned when somebody looks.
 */

import { MINUTE } from "../../kit/time.ts";

/** Of how many calls the time is kept, and how long it counts, in milliseconds. */
const KEPT = 512;
const COUNTS_MS = MINUTE;

export interface CallFigures {
  /** Since this gateway knows the instance. */
  readonly calls: number;
  /** Calls that had no answer in time, or one that says that it is broken. */
  readonly errors: number;
  /** Of the latest calls, in milliseconds: half of them, and 99 of 100, took no longer. Null where there were none within a minute. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export const NO_CALLS: CallFigures = { calls: 0, errors: 0, p50Ms: null, p99Ms: null };

export class CallTimes {
  #count = 0;
  #errors = 0;
  /** Rings, the newest at `count % KEPT`. */
  readonly #endedAt = new Float64Array(KEPT);
  readonly #tookMs = new Float64Array(KEPT);

  add(tookMs: number, failed: boolean): void {
    const at = this.#count++ % KEPT;
    this.#endedAt[at] = performance.now();
    this.#tookMs[at] = tookMs;
    if (failed) this.#errors++;
  }

  figures(): CallFigures {
    const since = performance.now() - COUNTS_MS;
    const known = this.#tookMs.slice(0, Math.min(this.#count, KEPT));
    const latest = known.filter((_, at) => this.#endedAt[at]! >= since).sort();
    const quantile = (share: number) => latest[Math.ceil(share * latest.length) - 1] ?? null;
    return { calls: this.#count, errors: this.#errors, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
  }
}
