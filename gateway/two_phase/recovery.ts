/**
 * Finishes what a gateway decided and did not live to finish: its own from before a restart, and that of gateways whose lease has ended. It
 * looks into the log again and again, since the row of a stalled gateway can land after any look. It also forgets what is long over.
 */

import { crashPoint } from "../../kit/crash_points.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { DAY, delay, MINUTE, SECOND } from "../../kit/time.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DecisionLog } from "./decision_log.ts";
import type { IdempotencyKeys } from "./idempotency.ts";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;
/** How many one look takes up. */
const AT_ONCE = 50;
/** How long a finished decision is kept: twice the life of an idempotency key, in milliseconds; how many go at once, and how often. */
const KEEP_MS = 2 * DAY;
const PRUNE_ROWS = 1_000;
const PRUNE_EVERY_MS = MINUTE;

export class Recovery {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    private readonly decisions: DecisionLog,
    private readonly coordinator: Coordinator,
    private readonly keys: IdempotencyKeys,
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
    for (let prunedAt = Date.now(); !this.#abort.signal.aborted;) {
      try {
        await this.#look();
        if (Date.now() - prunedAt > PRUNE_EVERY_MS) {
          await Promise.all([this.decisions.prune(KEEP_MS, PRUNE_ROWS), this.keys.prune(PRUNE_ROWS)]);
          prunedAt = Date.now();
        }
      } catch (error) {
        this.log.warning("looking for unfinished transactions failed: {error}", { error: reason(error) });
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  async #look(): Promise<void> {
    const { phaseTwo } = this.coordinator;
    const found = await this.decisions.takeOver(AT_ONCE);
    if (found.length > 0) crashPoint("gateway: after a take-over");
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
