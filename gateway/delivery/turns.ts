/** So many at once, the others in turn. */

import { UserError } from "../../kit/errors.ts";

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(private readonly atOnce: number, private readonly mostWaiting: number) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws UserError `TOO_MANY_REQUESTS` when too many wait, or what `work` throws; `work` has a time limit of its own */
  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.atOnce) {
      if (this.#waiting.length >= this.mostWaiting) {
        throw new UserError("TOO_MANY_REQUESTS", "too many wait for what they missed", { retryAfterSeconds: 1 });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
