/** A bulkhead: so many at once, so many waiting in turn, and those not for ever. */

import { UserError } from "../../kit/errors.ts";

export class Places {
  readonly #waiting: { go: () => void }[] = [];
  #taken = 0;

  constructor(private readonly atOnce: number, private readonly mostWaiting: number) {}

  /** Resolves with a place. @throws UserError `TOO_MANY_REQUESTS` when too many wait, or when it took longer than `limitMs` */
  async take(limitMs: number): Promise<void> {
    if (this.#taken < this.atOnce) {
      this.#taken++;
      return;
    }
    if (this.#waiting.length >= this.mostWaiting) throw tooMany();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(tooMany());
      }, limitMs);
      const turn = {
        go: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiting.push(turn);
    });
  }

  /** Hands the place to who waits longest. */
  giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next.go();
  }
}

function tooMany(): UserError {
  return new UserError("TOO_MANY_REQUESTS", "too many transactions at once; nothing was done", {
    retryAfterSeconds: 1,
  });
}
