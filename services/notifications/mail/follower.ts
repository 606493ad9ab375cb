/**
 * Follows the feed for those who want mail. In: committed notifications at their positions. Out: rows that are due now or later
 * (migrations/000006_mail_follower.sql), in the transaction that passes the positions: none is missed or made twice, whoever dies. Next:
 * hand_over.ts. It is no part of a send, and several of a second are one statement.
 */

import type { Sql } from "../../../kit/database.ts";
import { countDatabaseError } from "../../../kit/database_metrics.ts";
import { reason } from "../../../kit/directory.ts";
import type { Logger } from "../../../kit/log.ts";
import { delay } from "../../../kit/time.ts";
import type { Feed } from "../feed.ts";

/** Between two looks at whether the feed has moved, in milliseconds. */
const PAUSE_MS = 500;
/** About how many rows one statement makes: some 20 ms. */
const ROWS = 1_000;

export interface MailFollowerOptions {
  readonly sql: Sql;
  readonly feed: Pick<Feed, "position">;
  /** The hour of UTC at which daily digests are made. */
  readonly digestHour: number;
  readonly log: Logger;
}

export class MailFollower {
  /** All up to here is made due, as far as this node knows. */
  #position = -1;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly options: MailFollowerOptions) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Makes due what has come; true once nothing is left, false when another node is at it. */
  async follow(): Promise<boolean> {
    const { sql, feed, digestHour } = this.options;
    const { position } = feed;
    while (!this.#abort.signal.aborted) {
      const [row] = await sql<{ left: number | null }[]>`select make_mail_due(${ROWS}, ${digestHour}) as left`;
      const { left } = row!;
      if (left === null) return false;
      if (left > 0) continue;
      this.#position = position;
      return true;
    }
    return false;
  }

  async #run(): Promise<void> {
    const { feed, log } = this.options;
    while (!this.#abort.signal.aborted) {
      try {
        if (feed.position !== this.#position) await this.follow();
      } catch (error) {
        countDatabaseError(error);
        log.warning("mails can't be made due: {error}", { error: reason(error) });
      }
      await delay(PAUSE_MS / 2 + Math.random() * PAUSE_MS, this.#abort.signal);
    }
  }
}
