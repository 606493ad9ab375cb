/**
 * Resolves what this participant holds prepared and nobody came back for: it inquires at any gateway, and commits or rolls back as
 * told. Looks again and again, since a backend whose client died can still finish a PREPARE that it had received.
 */

import { crashPoint } from "../crash_points.ts";
import { countDatabaseError } from "../database_metrics.ts";
import { reason } from "../directory.ts";
import type { Logger } from "../log.ts";
import { DAY, delay, MINUTE, SECOND } from "../time.ts";
import type { Barrier, OldOutcome } from "./barrier.ts";
import type { Gateways } from "./gateways.ts";
import { inDoubt, inDoubtOldestAge } from "./metrics.ts";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;
/** For a transaction that another instance prepared, whose deadline isn't known here, in milliseconds. */
const DEFAULT_DEADLINE_MS = 10 * SECOND;
/** How many inquiries run at once. */
const AT_ONCE = 8;
/** How long an outcome is kept at the least, how often old ones are forgotten, in milliseconds; how many at once, how often in one look. */
const KEEP_MS = 2 * DAY;
const PRUNE_EVERY_MS = MINUTE;
const PRUNE_ROWS = 1_000;
const PRUNE_BATCHES = 5;
/** How many deadlines are remembered; older ones fall back to the default. */
const MOST_DEADLINES = 10_000;

export interface InDoubtOptions {
  readonly barrier: Barrier;
  readonly gateways: Gateways;
  readonly log: Logger;
  /** What is done after a commit, as after one that the coordinator asked for. */
  readonly committed: (transactionId: string) => void;
}

export class InDoubt {
  readonly #deadlines = new Map<string, number>();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  /** Where the forgetting goes on; undefined when it begins anew. */
  #prunedTo: OldOutcome | undefined;

  constructor(private readonly options: InDoubtOptions) {}

  /** How long after its prepare a transaction is left alone, in milliseconds. */
  remember(transactionId: string, deadlineMs: number): void {
    if (this.#deadlines.size >= MOST_DEADLINES) this.#deadlines.delete(this.#deadlines.keys().next().value!);
    this.#deadlines.set(transactionId, deadlineMs);
  }

  forget(transactionId: string): void {
    this.#deadlines.delete(transactionId);
  }

  start(): void {
    this.#running ??= this.#lookAgainAndAgain();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #lookAgainAndAgain(): Promise<void> {
    for (let prunedAt = Date.now(); !this.#abort.signal.aborted;) {
      try {
        await this.#look();
        if (Date.now() - prunedAt > PRUNE_EVERY_MS) {
          prunedAt = Date.now();
          // Where that was not all, the next look goes on: sends may come faster than these in each minute.
          if (!await this.prune()) prunedAt = 0;
        }
      } catch (error) {
        countDatabaseError(error);
        this.options.log.warning("looking for transactions in doubt failed: {error}", { error: reason(error) });
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  async #look(): Promise<void> {
    const prepared = await this.options.barrier.prepared();
    const late = prepared.filter(({ transactionId, ageMs }) =>
      ageMs > (this.#deadlines.get(transactionId) ?? DEFAULT_DEADLINE_MS)
    );
    inDoubt.set(late.length);
    inDoubtOldestAge.set((late[0]?.ageMs ?? 0) / 1000);
    const queue = late.map(({ transactionId }) => transactionId);
    const worker = async () => {
      for (let id = queue.shift(); id !== undefined && !this.#abort.signal.aborted; id = queue.shift()) {
        await this.#resolve(id);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** Forgets old outcomes that nobody can ask for: those whose commit every participant has confirmed. Whether that was all. */
  async prune(): Promise<boolean> {
    const { barrier, gateways } = this.options;
    for (let batch = 0; batch < PRUNE_BATCHES; batch++) {
      const old = await barrier.outcomesOlderThan(KEEP_MS, PRUNE_ROWS, this.#prunedTo);
      if (old.length > 0) {
        const ids = old.map(({ transactionId }) => transactionId);
        const unfinished = await gateways.unfinished(ids);
        await barrier.forget(ids.filter((id) => !unfinished.has(id)));
      }
      this.#prunedTo = old.length < PRUNE_ROWS ? undefined : old.at(-1);
      if (this.#prunedTo === undefined) return true;
    }
    return false;
  }

  async #resolve(transactionId: string): Promise<void> {
    const { barrier, gateways, log } = this.options;
    try {
      crashPoint("participant: before an inquiry");
      const state = await gateways.inquire(transactionId);
      crashPoint("participant: after an inquiry");
      if (state === "pending") return;
      if (state === "committed") {
        await barrier.commit(transactionId);
        this.options.committed(transactionId);
      } else await barrier.rollback(transactionId);
      this.forget(transactionId);
      log.info("a transaction in doubt is {state}", { state, transactionId });
    } catch (error) {
      countDatabaseError(error);
      log.warning("a transaction stays in doubt: {error}", { error: reason(error), transactionId });
    }
  }
}
