/** What is to be done at the gateway in the order in which it was asked for, each until there is an answer, through lost connections. */

import { isPassing, NotifyxError } from "./errors.ts";
import { Value } from "./observable.ts";
import { type Timing, untilDone, type Waits } from "./timing.ts";

/** The idempotency keys count for a day; what has waited almost as long may not be tried again. In milliseconds. */
const KEY_COUNTS_MS = 23 * 3_600_000;
const MOST_INTERNAL = 3;

export class Outbox {
  /** How many wait for their answer. */
  readonly waiting = new Value(0);
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly timing: Timing,
    private readonly waits: Waits,
    private readonly most: number,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * `since`: when its key was made, in milliseconds since 1970.
   * @throws NotifyxError what is wrong with it; `QUEUE_FULL`, `EXPIRED`, `CLOSED`
   */
  async add<T>(attempt: () => Promise<T>, since = Date.now()): Promise<T> {
    if (this.waiting.value >= this.most) {
      throw new NotifyxError("QUEUE_FULL", `${this.most} wait already; nothing was sent`);
    }
    this.waiting.set(this.waiting.value + 1);
    const done = this.#last.then(() => this.#untilDone(attempt, since));
    this.#last = done.catch(() => {});
    try {
      return await done;
    } finally {
      this.waiting.set(this.waiting.value - 1);
    }
  }

  #untilDone<T>(attempt: () => Promise<T>, since: number): Promise<T> {
    const { timing, waits, signal } = this;
    const started = performance.now();
    // By the clock that can't be set, and by the one that goes on while the machine sleeps.
    const age = () => Math.max(performance.now() - started, Date.now() - since);
    const withinKey = () => {
      if (age() < KEY_COUNTS_MS) return attempt();
      throw new NotifyxError("EXPIRED", "no answer for a day: whether it was done isn't known");
    };
    // What went wrong inside may have been done, and passes as a rule: the key says whether it was.
    let internal = 0;
    const passes = (error: unknown) =>
      isPassing(error) || (error instanceof NotifyxError && error.code === "INTERNAL" && internal++ < MOST_INTERNAL);
    return untilDone(async () => await withinKey(), { timing, waits, signal, passes });
  }
}
