/** How many messages a client may send: a token bucket, sized for people and apps, not for floods. */

import { SECOND } from "../../kit/time.ts";

export class MessageRate {
  #tokens: number;
  #at: number;

  /** `burst` messages at once, and `perSecond` from then on. `now` is in milliseconds. */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#tokens = burst;
    this.#at = now();
  }

  /** Takes one message; in how many whole seconds the client may go on, 0 where this one was within its rate. */
  take(): number {
    const now = this.now();
    this.#tokens = Math.min(this.burst, this.#tokens + (now - this.#at) / SECOND * this.perSecond);
    this.#at = now;
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.perSecond);
  }

  /** It went on for another whole burst beyond what was refused: nobody reads the answers. */
  get isFlooded(): boolean {
    return this.#tokens < -this.burst;
  }
}
