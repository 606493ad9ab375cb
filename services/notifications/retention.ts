/**
 * Removes what topics keep no longer: notifications older than their retentionDays, what is known about these, what belonged to deleted
 * topics, and old events. In: nothing but the time. Out: small batches, by one node at a time (migrations/000004_inbox_retention.sql),
 * with pauses in between, so that sends go on.
 */

import type { Sql } from "../../kit/database.ts";
import { errorCode, LOCK_NOT_AVAILABLE } from "../../kit/database_errors.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { removedRows } from "./metrics.ts";

/** Between two looks at all topics, in milliseconds. */
const PAUSE_MS = 30 * SECOND;
/** Between two batches, in milliseconds: what sends has most of the time. */
const BATCH_PAUSE_MS = 20;
/** How many notifications, or rows of one kind, a batch removes: a few milliseconds under the feed's lock. */
const BATCH = 200;
/** How many topics are looked at in one statement. */
const TOPICS = 500;
/** How many positions of the feed are looked at in one statement. */
const EVENTS = 1_000;
/**
 * How long events that are no notifications are kept. They are for gateways that were cut off, and for who asks by notificationAcknowledged
 * what was acknowledged meanwhile.
 */
const EVENTS_KEPT = "7 days";
/** How long the ids of removed notifications are kept: longer than outcomes are. */
const IDS_KEPT = "3 days";
/** Before the first topic. */
const NIL = "00000000-0000-0000-0000-000000000000";

export class Retention {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly sql: Sql, private readonly log: Logger) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Removes all that is due; false when another node is at it. */
  async prune(): Promise<boolean> {
    for (let after: string | undefined = NIL; after !== undefined;) {
      const topics: { id: string; due: boolean }[] = await this.sql<{ id: string; due: boolean }[]>`
        select * from topics_to_prune(${after}, ${TOPICS})`;
      for (const { id } of topics.filter(({ due }) => due)) if (!await this.#topic(id)) return false;
      after = topics.length === TOPICS ? topics.at(-1)!.id : undefined;
    }
    if (!await this.#batches("event", () => this.sql`select prune_events(${EVENTS_KEPT}, ${EVENTS}) as count`)) {
      return false;
    }
    await this.sql`delete from removed_notifications where at < now() - ${IDS_KEPT}::interval`;
    return true;
  }

  async #topic(id: string): Promise<boolean> {
    const { sql } = this;
    return await this.#batches("notification", () => sql`select prune_notifications(${id}, ${BATCH}) as count`) &&
      await this.#batches("trace", () => sql`select prune_traces(${id}, ${BATCH}) as count`) &&
      await this.#batches("deleted", () => sql`select prune_deleted(${id}, ${BATCH}) as count`);
  }

  /** Until nothing is left to remove. */
  async #batches(kind: string, batch: () => PromiseLike<readonly unknown[]>): Promise<boolean> {
    while (!this.#abort.signal.aborted) {
      const [row] = await batch() as { count: number | null }[];
      if (row!.count === null) return false;
      if (row!.count === 0) return true;
      removedRows.inc({ kind }, row!.count);
      await delay(BATCH_PAUSE_MS, this.#abort.signal);
    }
    return false;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await delay(PAUSE_MS / 2 + Math.random() * PAUSE_MS, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      try {
        await this.prune();
      } catch (error) {
        // The feed is busy: the next time will do.
        if (errorCode(error) !== LOCK_NOT_AVAILABLE) {
          countDatabaseError(error);
          this.log.warning("what is old can't be removed: {error}", { error: reason(error) });
        }
      }
    }
  }
}
