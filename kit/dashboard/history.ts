/** What the figures of the status page were in the last hour: a ring of points, one each five seconds, in memory alone. */

import { SECOND } from "../time.ts";

/** Between two points. They lie where every process has them: at multiples of this since 1970. */
export const STEP_SECONDS = 5;
/** How many points are kept: an hour. */
export const STEPS = 720;

/** The number of the point that `time`, in milliseconds since 1970, belongs to. */
export function stepOf(time: number): number {
  return Math.floor(time / (STEP_SECONDS * SECOND));
}

/** Points of several series up to a step, the oldest first, as many of each; null where nothing is known. */
export interface Points {
  /** The step of the last point. */
  readonly until: number;
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

/** How a point takes a further value: as its own, or of several processes as their sum or the highest. */
export type Joined = "replace" | "sum" | "most";

export class History {
  /** By step, modulo {@link STEPS}; NaN where nothing is known. */
  readonly #series: ReadonlyMap<string, Float64Array>;
  #newest: number | undefined;
  #oldest = 0;

  constructor(keys: Iterable<string>) {
    this.#series = new Map(Array.from(keys, (key) => [key, new Float64Array(STEPS).fill(NaN)]));
  }

  /** The last step of which something is known; undefined where nothing is. */
  get newest(): number | undefined {
    return this.#newest;
  }

  /** Takes a value for a step; one that is over an hour older than the newest, or of an unknown key, is no news. */
  put(step: number, key: string, value: number | null, joined: Joined = "replace"): void {
    const series = this.#series.get(key);
    if (series === undefined || (this.#newest !== undefined && step <= this.#newest - STEPS)) return;
    this.#reach(step);
    if (value === null || !Number.isFinite(value)) return;
    const at = step % STEPS;
    const before = series[at]!;
    series[at] = Number.isNaN(before) || joined === "replace"
      ? value
      : joined === "sum"
      ? before + value
      : Math.max(before, value);
  }

  at(step: number, key: string): number | null {
    const value = this.#holds(step) ? this.#series.get(key)?.[step % STEPS] : undefined;
    return value === undefined || Number.isNaN(value) ? null : value;
  }

  /** All points behind `after` up to `until`, or the newest. They begin where the history does. */
  points(after = -Infinity, until = this.#newest): Points {
    if (until === undefined) {
      return { until: 0, series: Object.fromEntries([...this.#series.keys()].map((key) => [key, []])) };
    }
    const first = Math.max(after + 1, until - STEPS + 1, this.#oldest);
    const count = Math.max(0, until - first + 1);
    const series = [...this.#series.keys()].map((key): [string, (number | null)[]] => [
      key,
      Array.from({ length: count }, (_, index) => rounded(this.at(first + index, key))),
    ]);
    return { until, series: Object.fromEntries(series) };
  }

  #holds(step: number): boolean {
    return this.#newest !== undefined && step <= this.#newest && step > this.#newest - STEPS && step >= this.#oldest;
  }

  /** Clears the points that this step takes from an hour ago. */
  #reach(step: number): void {
    if (this.#newest === undefined) {
      this.#newest = this.#oldest = step;
      return;
    }
    this.#oldest = Math.min(this.#oldest, step);
    for (let next = Math.max(this.#newest + 1, step - STEPS + 1); next <= step; next++) {
      for (const series of this.#series.values()) series[next % STEPS] = NaN;
    }
    this.#newest = Math.max(this.#newest, step);
  }
}

/** What a person can tell apart: a stream of numbers is half as long. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}
