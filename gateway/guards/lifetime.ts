/** How long somebody waits for an operation: until its time is over, or its client has gone. Its calls to services end with it. */

import { UserError } from "../../kit/errors.ts";

/** Nobody waited for the answer of a call any more: no fault of whoever was asked. */
export class CallCancelled extends UserError {
  constructor() {
    super("TIMEOUT", "nobody waits for this any more");
  }
}

/** One for each execution: it costs no timer, since each call upstream has one of its own. */
export class Lifetime {
  readonly #endsAt: number;
  #waiting = 1;
  #calls: Set<() => void> | undefined;

  /** `limitMs` and `now` are in milliseconds. */
  constructor(limitMs: number, private readonly now: () => number = () => performance.now()) {
    this.#endsAt = now() + limitMs;
  }

  /** How long a call may take that has `mostMs` for itself, in milliseconds. @throws UserError `TIMEOUT` where the time is over */
  limit(mostMs: number): number {
    const leftMs = this.#endsAt - this.now();
    if (leftMs <= 0) throw new UserError("TIMEOUT", "the query took too long");
    return Math.min(mostMs, leftMs);
  }

  /** One more waits for the same. */
  share(): void {
    this.#waiting++;
  }

  /** A client has its answer, is gone, or wants none any more: once for each that waits. */
  leave(): void {
    if (--this.#waiting > 0) return;
    for (const cancel of this.#calls ?? []) cancel();
    this.#calls = undefined;
  }

  /** Calls `cancel` when nobody waits any more, perhaps at once; the answer takes that back. */
  onCancel(cancel: () => void): () => void {
    if (this.#waiting <= 0) {
      cancel();
      return () => {};
    }
    const calls = this.#calls ??= new Set();
    calls.add(cancel);
    return () => calls.delete(cancel);
  }
}
