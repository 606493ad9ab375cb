/**
 * How each instance answers this gateway's calls: how many, how many of them failed, and how long the latest took. In: each call's end,
 * but for those that were given up since nobody waited any more. Out: figures, reckoned when somebody looks.
 */

import type { Directory } from "../kit/directory.ts";
import { MINUTE } from "../kit/time.ts";
import { CallCancelled } from "./guards/lifetime.ts";

/** Of how many calls of an instance the time is kept, and how long it counts, in milliseconds. */
const KEPT = 512;
const COUNTS_MS = MINUTE;

export interface Figures {
  /** Since this gateway knows the instance. */
  readonly calls: number;
  /** Calls that had no answer in time, or one that says that it is broken. */
  readonly errors: number;
  /** Of the latest calls, in milliseconds: half of them, and 99 of 100, took no longer. Null where there were none within a minute. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

interface Calls {
  count: number;
  errors: number;
  /** Rings, the newest at `count % KEPT`. */
  readonly endedAt: Float64Array;
  readonly tookMs: Float64Array;
}

export class CallFigures {
  readonly #instances = new Map<string, Calls>();
  readonly stop: () => void;

  constructor(directory: Directory) {
    // What is gone is forgotten.
    this.stop = directory.onChange(() => {
      const live = new Set(directory.all().map(({ id }) => id));
      for (const id of this.#instances.keys()) if (!live.has(id)) this.#instances.delete(id);
    });
  }

  /** What `call` answers; how long that takes is an instance's. */
  async measure<T>(instanceId: string, call: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const ended = (failed: boolean) => this.#add(instanceId, performance.now() - began, failed);
    try {
      const answer = await call();
      ended(false);
      return answer;
    } catch (error) {
      // How long it would have taken, and whether it had come to anything, nobody knows.
      if (!(error instanceof CallCancelled)) ended(true);
      throw error;
    }
  }

  of(instanceId: string): Figures {
    const calls = this.#instances.get(instanceId);
    if (calls === undefined) return { calls: 0, errors: 0, p50Ms: null, p99Ms: null };
    const since = performance.now() - COUNTS_MS;
    const known = calls.tookMs.slice(0, Math.min(calls.count, KEPT));
    const latest = known.filter((_, at) => calls.endedAt[at]! >= since).sort();
    const quantile = (share: number) => latest[Math.ceil(share * latest.length) - 1] ?? null;
    return { calls: calls.count, errors: calls.errors, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
  }

  #add(instanceId: string, tookMs: number, failed: boolean): void {
    let calls = this.#instances.get(instanceId);
    if (calls === undefined) {
      calls = { count: 0, errors: 0, endedAt: new Float64Array(KEPT), tookMs: new Float64Array(KEPT) };
      this.#instances.set(instanceId, calls);
    }
    const at = calls.count++ % KEPT;
    calls.endedAt[at] = performance.now();
    calls.tookMs[at] = tookMs;
    if (failed) calls.errors++;
  }
}
