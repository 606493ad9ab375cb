/**
 * A bulkhead before the participants' databases: so many transactions at once, so many waiting in turn, and those not for ever. PostgreSQL holds
 * a bounded number of prepared transactions (`max_prepared_transactions`), and one that can't be prepared is an aborted send.
 */

import { UserError } from "../../kit/errors.ts";

export class Places {
  readonly #waiting: { go: () => void }[] = [];
  #taken = 0;
  #refused = 0;

  /** `atOnce` is asked each time: it depends on how many gateways share the databases. */
  constructor(private readonly atOnce: () => number, private readonly mostWaiting: number) {}

  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many there are now. */
  get most(): number {
    return this.atOnce();
  }

  /** How many got none so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Resolves with a place. @throws UserError `TOO_MANY_REQUESTS` when too many wait, or when it took longer than `limitMs` */
  async take(limitMs: number): Promise<void> {
    if (this.#taken < this.atOnce()) {
      this.#taken++;
      return;
    }
    if (this.#waiting.length >= this.mostWaiting) throw this.#tooMany();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(this.#tooMany());
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

  /** Hands the place to who waits longest, unless there are fewer places now. */
  giveBack(): void {
    this.#taken--;
    while (this.#waiting.length > 0 && this.#taken < this.atOnce()) {
      this.#taken++;
      this.#waiting.shift()!.go();
    }
  }

  #tooMany(): UserError {
    this.#refused++;
    return new UserError("TOO_MANY_REQUESTS", "too many transactions at once; nothing was done", {
      retryAfterSeconds: 1,
    });
  }
}
