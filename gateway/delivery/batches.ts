/**
 * Many small questions as few large ones: what is asked within a moment goes to a service together, so that ten thousand clients that
 * come back at once are ten questions. In: keys. Out: each one's answer.
 */

import { UserError } from "../../kit/errors.ts";
import { MILLISECOND, SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";

/** How long the first of a batch waits for others, in milliseconds. */
const COLLECT_MS = 2 * MILLISECOND;
const LARGEST_BATCH = 1_000;
/** How many batches are under way at once; the others wait. */
const AT_ONCE = 4;
/** How many keys may wait. */
const MOST_WAITING = 100_000;
/** How long a key waits for its answer, its turn included, in milliseconds. */
const LIMIT_MS = 10 * SECOND;

interface Waiting<Key, Value> {
  readonly key: Key;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

export class Batches<Key, Value> {
  #waiting: Waiting<Key, Value>[] = [];
  #underWay = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `ask` gives the answers in the order of its keys, within a time limit of its own; `full` is thrown when too many wait. */
  constructor(
    private readonly ask: (keys: readonly Key[]) => Promise<readonly Value[]>,
    private readonly full: () => Error,
    private readonly mostWaiting = MOST_WAITING,
    private readonly limitMs = LIMIT_MS,
  ) {}

  /** @throws what `ask` throws, or UserError `TIMEOUT` after 10 s */
  load(key: Key): Promise<Value> {
    if (this.#waiting.length >= this.mostWaiting) return Promise.reject(this.full());
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    this.#waiting.push({ key, resolve, reject });
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, COLLECT_MS);
    return withTimeLimit("a batch", this.limitMs, promise).catch((error) => {
      throw error instanceof TimeLimitError ? new UserError("TIMEOUT", "too much is asked for at once") : error;
    });
  }

  #send(): void {
    while (this.#waiting.length > 0 && this.#underWay < AT_ONCE) {
      const batch = this.#waiting.splice(0, LARGEST_BATCH);
      this.#underWay++;
      this.ask(batch.map(({ key }) => key)).then(
        (values) => batch.forEach(({ resolve }, at) => resolve(values[at]!)),
        (error) => batch.forEach(({ reject }) => reject(error)),
      ).finally(() => {
        this.#underWay--;
        this.#send();
      });
    }
  }
}
