/** Finishes what a gateway decided and did not live to finish: looks into the log again and again, since a row can land after any look. */

import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, SECOND } from "../../kit/time.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DecisionLog } from "./decision_log.ts";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;
/** How old an unfinished decision has to be before somebody else than its coordinator drives it, in milliseconds. */
const ORPHAN_AFTER_MS = 5 * SECOND;
/** How many one look takes up. */
const AT_ONCE = 50;

export class Recovery {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    private readonly decisions: DecisionLog,
    private readonly coordinator: Coordinator,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.log.warning("looking for unfinished transactions failed: {error}", { error: reason(error) });
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  async #look(): Promise<void> {
    const { phaseTwo } = this.coordinator;
    const found = await this.decisions.unfinished(ORPHAN_AFTER_MS, AT_ONCE);
    await Promise.all(
      found.filter(({ transactionId }) => !phaseTwo.isDriven(transactionId)).map(
        async ({ transactionId, participants }) => {
          const { unconfirmed } = await phaseTwo.round(transactionId, participants, 5 * SECOND);
          if (unconfirmed.length > 0) return;
          this.decisions.finished(transactionId);
          this.log.info("finished a transaction that was left unfinished", { transactionId });
        },
      ),
    );
  }
}
