/** Chance that can be had again: the same seed, the same numbers. */

export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** From NOTIFYX_TEST_SEED, else by chance. */
  static seeded(): Random {
    const given = Deno.env.get("NOTIFYX_TEST_SEED");
    return new Random(given ? Number(given) : crypto.getRandomValues(new Uint32Array(1))[0]!);
  }

  /** From 0 to 1, which is excluded (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.next() * all.length)]!;
  }
}
