/**
 * The sessions that have ended, in the order in which that was committed, as this process sees them. In: a commit of this or another
 * node (PostgreSQL's NOTIFY), or the poll. Out: pages of them to ended_stream.ts, each exactly once to whoever goes on behind the last.
 *
 * Positions are given by number_ended() (migrations/000004_ended_sessions.sql), by one writer at a time over all nodes.
 */

import { EventEmitter } from "node:events";
import type { Sql } from "../../kit/database.ts";
import { errorCode, LOCK_NOT_AVAILABLE } from "../../kit/database_errors.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, MINUTE } from "../../kit/time.ts";
import { endedPosition } from "./metrics.ts";

/** How often a node looks for what nobody woke it for, in milliseconds. */
const POLL_MS = 250;
/** How many ends one statement numbers, and one reads. */
const NUMBER_BATCH = 5_000;
const PAGE = 500;
/** How long an end is kept, in milliseconds: who was away for longer asks about each session that it knows. */
const KEEP_MS = 10 * MINUTE;
const PRUNE_PAUSE_MS = MINUTE / 2;
const PRUNE_BATCH = 5_000;

export interface EndedSession {
  readonly position: number;
  /** The SHA-256 of its token, as base64. */
  readonly hash: string;
}

/** Where a reader has come to; a position means something in its epoch alone. */
export interface Place {
  readonly position: number;
  readonly epoch: string;
}

/** What stands behind a place, and the place behind that. */
export interface EndedPage extends Place {
  readonly ended: readonly EndedSession[];
  /** Something in between is no longer there: what the reader knows of sessions may be wrong, as of `position`. */
  readonly lost: boolean;
}

export class EndedSessions {
  #position = 0;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isFailing = false;
  readonly #wake = new EventEmitter();
  readonly #abort = new AbortController();
  #running: Promise<unknown> | undefined;
  #stopListening: (() => Promise<void>) | undefined;

  constructor(private readonly sql: Sql, private readonly log: Logger, private readonly keepMs = KEEP_MS) {
    this.#wake.setMaxListeners(10_000);
  }

  get position(): number {
    return this.#position;
  }

  async start(): Promise<void> {
    const listening = await this.sql.listen("ended_sessions", () => void this.#look());
    this.#stopListening = listening.unlisten;
    this.#running = Promise.all([this.#poll(), this.#keepPruning()]);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake.emit("ended");
    await this.#running;
    await this.#looking;
    await this.#stopListening?.();
  }

  /**
   * What has ended behind `after`, at most {@link PAGE} of it; without `after` nothing, but the place where the order stands now.
   * Whatever committed before this was asked is in it, is numbered by now, or comes at a later position.
   */
  async page(after?: Place): Promise<EndedPage> {
    // One statement, one snapshot: what is pruned at this moment is either all there or missing with the head to tell.
    const rows = await this.sql<{ epoch: string; head: number; position: number | null; hash: string }[]>`
      select ended_epoch() as epoch, h.position as head, e.position, encode(e.token_hash, 'base64') as hash
      from ended_head h left join lateral (
        select position, token_hash from ended_sessions where position > ${after?.position ?? 0} and ${
      after !== undefined
    }
        order by position limit ${PAGE}
      ) e on true order by e.position`;
    const { epoch, head } = rows[0]!;
    const ended = rows.flatMap(({ position, hash }) => position === null ? [] : [{ position, hash }]);
    const last = ended.at(-1)?.position ?? head;
    if (after === undefined) return { epoch, position: head, ended: [], lost: false };
    const lost = epoch !== after.epoch || head < after.position ||
      (head > after.position && ended[0]?.position !== after.position + 1);
    return lost ? { epoch, position: head, ended: [], lost } : { epoch, position: last, ended, lost };
  }

  /** The page behind `after`, as soon as there is something, or after `waitMs` though there is nothing. @throws what the database says */
  async next(after: Place, waitMs: number, signal: AbortSignal): Promise<EndedPage> {
    if (this.#position <= after.position) await this.#news(waitMs, signal);
    return await this.page(after);
  }

  async #poll(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const [head] = await this.sql<{ position: number; pending: boolean }[]>`
          select position, exists (select from ended_pending) as pending from ended_head`;
        if (head!.pending) await this.#look();
        else this.#moveTo(head!.position);
      } catch (error) {
        this.#warn(error);
      }
      await delay(POLL_MS, this.#abort.signal);
    }
  }

  /** Numbers what is committed by now; one at a time, and once more when it was asked for meanwhile. */
  #look(): Promise<void> {
    this.#lookAgain = true;
    return this.#looking ??= this.#lookNow();
  }

  async #lookNow(): Promise<void> {
    while (this.#lookAgain && !this.#abort.signal.aborted) {
      this.#lookAgain = false;
      try {
        const [row] = await this.sql<{ position: number }[]>`select number_ended(${NUMBER_BATCH}) as position`;
        if (row!.position >= this.#position + NUMBER_BATCH) this.#lookAgain = true;
        this.#moveTo(row!.position);
      } catch (error) {
        this.#warn(error);
      }
    }
    this.#looking = undefined;
  }

  /** Also backward: after a restore positions begin again. */
  #moveTo(position: number): void {
    this.#isFailing = false;
    if (position === this.#position) return;
    this.#position = position;
    endedPosition.set(position);
    this.#wake.emit("ended");
  }

  /** Once, until it goes on. Another node that numbers at this moment is no fault. */
  #warn(error: unknown): void {
    if (this.#abort.signal.aborted || this.#isFailing || errorCode(error) === LOCK_NOT_AVAILABLE) return;
    this.#isFailing = true;
    countDatabaseError(error);
    this.log.warning("ended sessions can't be read: {error}", { error: reason(error) });
  }

  async #keepPruning(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        while (await this.prune() === PRUNE_BATCH && !this.#abort.signal.aborted);
      } catch (error) {
        this.#warn(error);
      }
      await delay(PRUNE_PAUSE_MS, this.#abort.signal);
    }
  }

  /** Removes the oldest ends that were kept for long enough, at most a batch; returns how many. What is left has no gap. */
  async prune(): Promise<number> {
    const { count } = await this.sql`
      delete from ended_sessions where position <= (
        select max(position) from (select position, numbered_at from ended_sessions order by position limit ${PRUNE_BATCH}) oldest
        where numbered_at < now() - make_interval(secs => ${this.keepMs / 1_000}))`;
    return count;
  }

  /** Resolves at the next end, or the stop, after `waitMs` at the latest. */
  #news(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake.off("ended", done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#wake.on("ended", done);
      signal.addEventListener("abort", done);
      if (signal.aborted || this.#abort.signal.aborted) done();
    });
  }
}
