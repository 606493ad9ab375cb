/** Folds what was appended into totals, from time to time, so that a count stays cheap however many were sent. */

import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, MINUTE } from "../../kit/time.ts";
import type { Counts } from "./store.ts";

/** Between two folds, in milliseconds. */
const FOLD_EVERY_MS = MINUTE;

export class Fold {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly counts: Counts, private readonly log: Logger) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await delay(FOLD_EVERY_MS, this.#abort.signal);
      try {
        while (!this.#abort.signal.aborted && await this.counts.fold() > 0);
      } catch (error) {
        countDatabaseError(error);
        this.log.warning("counts could not be folded: {error}", { error: reason(error) });
      }
    }
  }
}
