/** So many at once, the others in turn, in the order in which they came, and more than may wait not at all. */

import { UserError } from "./errors.ts";

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #refused = 0;

  /** @param refusal what one is told for whom there is no room, and after how many seconds to come back */
  constructor(
    readonly most: number,
    readonly mostWaiting: number,
    private readonly refusal: { readonly message: string; readonly retryAfterSeconds: number },
  ) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many were told to come back so far. */
  get refused(): number {
    return this.#refused;
  }

  /** @throws UserError `TOO_MANY_REQUESTS` when too many wait, or what `work` throws; `work` has a time limit of its own */
  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running < this.most) this.#running++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      // The turn goes over to the next, so that nobody who comes now gets in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= this.mostWaiting) {
      this.#refused++;
      const { message, retryAfterSeconds } = this.refusal;
      throw new UserError("TOO_MANY_REQUESTS", message, { retryAfterSeconds });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
