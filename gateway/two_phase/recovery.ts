/**
 * Finishes what a gateway decided and did not live to finish: its own from before a restart, and that of gateways whose lease has ended. It
 * looks into the log again and again, since the row of a stalled gateway can land after any look. It also forgets what is long over.
 */

import { crashPoint } from "../../kit/crash_points.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { backoffMs, DAY, delay, MINUTE, SECOND } from "../../kit/time.ts";
import type { Coordinator } from "./coordinator.ts";
import type { DecisionLog } from "./decision_log.ts";
import type { IdempotencyKeys } from "./idempotency.ts";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;
/** How many one look takes up. */
const AT_ONCE = 50;
/** The longest that one which could not be finished is left alone, in milliseconds. */
const LONGEST_PAUSE_MS = 4 * SECOND;
/** How many of those that could not be finished are remembered. */
const MOST_FAILED = 10_000;
/** How long a finished decision is kept: twice the life of an idempotency key, in milliseconds; how many go at once, and how often. */
const KEEP_MS = 2 * DAY;
const PRUNE_ROWS = 5_000;
const PRUNE_EVERY_MS = MINUTE;

export class Recovery {
  readonly #abort = new AbortController();
  /** Those that a participant did not confirm, and until when they are left alone: longer each time. */
  readonly #failed = new Map<string, { times: number; until: number }>();
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
        await this.look();
        if (Date.now() - prunedAt > PRUNE_EVERY_MS) {
          prunedAt = Date.now();
          // Where that was not all, the next look goes on: sends may come faster than a batch in each minute.
          if (!await this.prune()) prunedAt = 0;
        }
      } catch (error) {
        countDatabaseError(error);
        this.log.warning("looking for unfinished transactions failed: {error}", { error: reason(error) });
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  /** Takes up what is left unfinished; those that could not be finished a moment ago don't stand before the others. */
  async look(): Promise<void> {
    const { phaseTwo } = this.coordinator;
    const found = await this.decisions.takeOver(AT_ONCE, [...phaseTwo.busy(), ...this.#failed.keys()]);
    const now = Date.now();
    const notNow = [...this.#failed].filter(([, { until }]) => until > now).map(([id]) => id);
    if (found.length < AT_ONCE && notNow.length < this.#failed.size) {
      const except = [...phaseTwo.busy(), ...notNow, ...found.map(({ transactionId }) => transactionId)];
      found.push(...await this.decisions.takeOver(AT_ONCE - found.length, except));
    }
    if (found.length > 0) crashPoint("gateway: after a take-over");
    await Promise.all(found.map(async ({ transactionId, participants }) => {
      const { unconfirmed } = await phaseTwo.round(transactionId, participants, 5 * SECOND);
      if (unconfirmed.length > 0) return this.#postpone(transactionId);
      this.#failed.delete(transactionId);
      this.decisions.finished(transactionId);
      this.log.info("finished a transaction that was left unfinished", { transactionId });
    }));
  }

  /** Forgets a batch of what is long over; whether that was all. */
  async prune(): Promise<boolean> {
    const gone = await Promise.all([this.decisions.prune(KEEP_MS, PRUNE_ROWS), this.keys.prune(PRUNE_ROWS)]);
    return gone.every((rows) => rows < PRUNE_ROWS);
  }

  #postpone(transactionId: string): void {
    const times = (this.#failed.get(transactionId)?.times ?? 0) + 1;
    this.#failed.delete(transactionId);
    this.#failed.set(transactionId, { times, until: Date.now() + backoffMs(times, SECOND, LONGEST_PAUSE_MS) });
    if (this.#failed.size > MOST_FAILED) this.#failed.delete(this.#failed.keys().next().value!);
  }
}
