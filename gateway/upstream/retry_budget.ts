/**
 * How many calls may be repeated: one for each ten that are asked, so that what is sick isn't asked twice as much. What isn't used is kept
 * for the moment when an instance dies under load, up to a bound.
 */

/** What each call adds to what may be repeated. */
const SHARE = 0.1;
/** What may be repeated from the start, so that few users are served as well as many; and the most that is kept. */
const RESERVE = 100;
const MOST = 1_000;

export class RetryBudget {
  #left = RESERVE;

  /** A call is asked for the first time. */
  asked(): void {
    if (this.#left < MOST) this.#left += SHARE;
  }

  get hasSome(): boolean {
    return this.#left >= 1;
  }

  /** Whether a call may be repeated; it is counted then. */
  take(): boolean {
    if (!this.hasSome) return false;
    this.#left--;
    return true;
  }
}
