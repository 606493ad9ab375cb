/**
 * A clock that a test moves: from its making to its disposal, timers, Date.now and Math.random are its own, so that a minute of the
 * protocol takes milliseconds and the same numbers give the same run.
 */

import { setImmediate } from "node:timers";

const START = Date.UTC(2026, 0, 1);

interface Timer {
  readonly at: number;
  readonly id: number;
  readonly run: () => void;
}

export class VirtualClock implements Disposable {
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: Date.now,
    random: Math.random,
  };
  /** In the order of their time; of the same time, in that of their making. */
  readonly #timers: Timer[] = [];
  #lastId = 0;
  #now = 0;

  constructor(seed: number) {
    globalThis.setTimeout = ((run: () => void, ms = 0) => this.#add(run, ms)) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number | undefined) => this.#remove(id)) as unknown as typeof clearTimeout;
    Date.now = () => START + this.#now;
    Math.random = randomFrom(seed);
  }

  /** In milliseconds since the clock was made. */
  get now(): number {
    return this.#now;
  }

  /** Lets everything happen that is due before `end`. */
  async runUntil(end: number): Promise<void> {
    await settled();
    while (this.#timers.length > 0 && this.#timers[0]!.at <= end) {
      const { at, run } = this.#timers.shift()!;
      this.#now = at;
      run();
      await settled();
    }
    this.#now = end;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    Date.now = this.#real.now;
    Math.random = this.#real.random;
  }

  #add(run: () => void, ms: number): number {
    const timer = { at: this.#now + Math.max(0, Math.round(ms)), id: ++this.#lastId, run };
    let low = 0;
    for (let high = this.#timers.length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.#timers[middle]!.at <= timer.at) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return timer.id;
  }

  #remove(id: number | undefined): void {
    const at = this.#timers.findIndex((timer) => timer.id === id);
    if (at >= 0) this.#timers.splice(at, 1);
  }
}

/** Resolves when all promises that could go on have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
