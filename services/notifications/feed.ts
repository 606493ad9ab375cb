/**
 * The feed as this process sees it: gives positions to what was committed, and holds a window of the newest events for the gateways'
 * streams. In: a commit (two_phase.ts), another node's NOTIFY, or the poll. Out: cursors, and events in their order to stream.ts.
 *
 * Positions are given by number_pending() (migrations/000007_traces.sql), by one writer at a time over all nodes.
 */

import { EventEmitter } from "node:events";
import type { Sql } from "../../kit/database.ts";
import { errorCode, LOCK_NOT_AVAILABLE } from "../../kit/database_errors.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import { unknownCursor } from "../../kit/paging.ts";
import { decodeFeedCursor, encodeFeedCursor } from "./cursors.ts";
import { type FeedEvent, numberPending, readFeed } from "./feed_events.ts";
import { feedPosition, tellPending } from "./metrics.ts";

/** How often the feed looks for what nobody woke it for (a node that died between commit and numbering), in milliseconds. */
const POLL_MS = 250;
/** How many of the newest events are kept in memory at least, unless they have more characters than this; at most twice as much is. */
const WINDOW_EVENTS = 5_000;
const WINDOW_CHARACTERS = 8_000_000;
const ID_CHARACTERS = 36;
/** How many events one statement reads. */
const PAGE_EVENTS = 500;

/** Where a notification stands, for its sender. */
export interface Placed {
  readonly cursor: string;
  readonly createdAt: string;
}
type Numbered = Map<string, Placed>;

export class Feed {
  /** Events at consecutive positions, the last of them at `#position`. */
  #window: FeedEvent[] = [];
  #characters = 0;
  #position = 0;
  #epoch = "";
  readonly #wake = new EventEmitter();
  readonly #abort = new AbortController();
  #running: Promise<unknown> | undefined;
  #numbering: Promise<Numbered> | undefined;
  #nextNumbering: Promise<Numbered> | undefined;
  #tailing: Promise<void> | undefined;
  #tailAgain = false;
  #stopListening: (() => Promise<void>) | undefined;

  constructor(
    private readonly sql: Sql,
    private readonly log: Logger,
    /** Whether no other node is known; one that isn't yet finds by its poll what it isn't told. */
    private readonly isAlone: () => boolean = () => false,
  ) {
    this.#wake.setMaxListeners(10_000);
  }

  get position(): number {
    return this.#position;
  }

  get epoch(): string {
    return this.#epoch;
  }

  async start(): Promise<void> {
    this.#begin(await this.#look());
    // Other nodes' numbering, joins and leaves; our own is known already, but for a batch too large to be given.
    const listening = await this.sql.listen("feed", (position) => {
      if (Number(position) > this.#position) void this.#tail();
    });
    this.#stopListening = listening.unlisten;
    this.#running = this.#poll();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake.emit("events");
    await this.#running;
    await this.#stopListening?.();
  }

  /** The epoch and the last position, as the database has them now. */
  async head(): Promise<{ epoch: string; position: number }> {
    const { epoch, position } = await this.#look();
    return { epoch, position };
  }

  /**
   * The position that a client's cursor stands for; undefined for one of another epoch.
   * @throws UserError `BAD_USER_INPUT` for one that we can't have made
   */
  async positionOf(cursor: string): Promise<number | undefined> {
    const { epoch, position } = decodeFeedCursor(cursor);
    if (epoch === this.#epoch && position <= this.#position) return position;
    // Another node may have given it, or it is of an epoch that this one hasn't heard of yet.
    const head = await this.#look();
    if (head.epoch !== this.#epoch) this.#begin(head);
    if (epoch !== head.epoch) return undefined;
    if (position > head.position) throw unknownCursor();
    return position;
  }

  /** Where the feed is at the start, and when its epoch is another: nothing of before means anything then, and streams end. */
  #begin({ epoch, position }: { epoch: string; position: number }): void {
    this.#epoch = epoch;
    this.#position = position;
    this.#window = [];
    this.#characters = 0;
    this.#wake.emit("events");
  }

  async #look(): Promise<{ epoch: string; position: number; pending: boolean }> {
    const [head] = await this.sql<{ epoch: string; position: number; pending: boolean }[]>`
      select feed_epoch() as epoch, position, is_pending() as pending from feed_head`;
    return head!;
  }

  /** The cursor of a committed notification, once it has a position; undefined when that takes longer than `limitMs`. */
  async place(notificationId: string, limitMs: number): Promise<Placed | undefined> {
    try {
      return await withTimeLimit("the feed", limitMs, this.#place(notificationId));
    } catch (error) {
      if (!(error instanceof TimeLimitError)) throw error;
      this.log.warning("the feed is late", { limitMs });
      return undefined;
    }
  }

  async #place(notificationId: string): Promise<Placed | undefined> {
    const numbered = (await this.#number()).get(notificationId);
    if (numbered !== undefined) return numbered;
    // Somebody else gave it its position (another node, or a join or leave), or the batch was too large to be given.
    const [row] = await this.sql<{ position: number; created_at: Date }[]>`
      select f.position, n.created_at from feed f join notifications n on n.id = f.notification_id
      where f.notification_id = ${notificationId} and f.kind = 'notification'`;
    return row && { cursor: encodeFeedCursor(this.#epoch, row.position), createdAt: row.created_at.toISOString() };
  }

  /** Numbers what is committed by now. Calls that come while a batch is under way share the next one. */
  #number(): Promise<Numbered> {
    if (this.#nextNumbering !== undefined) return this.#nextNumbering;
    if (this.#numbering === undefined) return this.#numbering = this.#numberNow();
    this.#nextNumbering = this.#numbering.catch(() => {}).then(() => {
      this.#nextNumbering = undefined;
      return this.#numbering = this.#numberNow();
    });
    return this.#nextNumbering;
  }

  async #numberNow(): Promise<Numbered> {
    try {
      const events = await numberPending(this.sql, this.#epoch, this.isAlone());
      if (events.length > 0) this.#append(events, false);
      return new Map(events.flatMap((event) => event.kind === "notification" ? [[event.id, event] as const] : []));
    } finally {
      if (this.#nextNumbering === undefined) this.#numbering = undefined;
    }
  }

  /** Puts events behind the window. What is missing between is read first; what the table itself doesn't have is gone. */
  #append(events: readonly FeedEvent[], fromTable: boolean): void {
    const gap = events.findLastIndex(({ position }, nth) =>
      position !== (events[nth - 1]?.position ?? this.#position) + 1
    );
    if (gap >= 0 && !fromTable) return void this.#tail();
    if (gap >= 0) this.#window = [];
    const consecutive = events.slice(Math.max(0, gap));
    this.#window.push(...consecutive);
    this.#characters = (gap >= 0 ? 0 : this.#characters) + sum(consecutive.map(charactersOf));
    this.#trim();
    this.#position = events.at(-1)!.position;
    feedPosition.set(this.#position);
    this.#wake.emit("events");
  }

  #trim(): void {
    if (this.#window.length <= 2 * WINDOW_EVENTS && this.#characters <= 2 * WINDOW_CHARACTERS) return;
    let first = this.#window.length;
    this.#characters = 0;
    while (first > this.#window.length - WINDOW_EVENTS && first > 0) {
      const more = charactersOf(this.#window[first - 1]!);
      if (this.#characters + more > WINDOW_CHARACTERS) break;
      this.#characters += more;
      first--;
    }
    this.#window = this.#window.slice(first);
  }

  async #poll(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        const head = await this.#look();
        if (head.epoch !== this.#epoch) {
          this.log.warning("the feed has another epoch: cursors of before are expired");
          this.#begin(head);
        }
        tellPending(head.pending);
        if (head.pending) {
          await this.#number();
          tellPending(false);
        }
        if (head.position > this.#position) await this.#tail();
      } catch (error) {
        // Somebody holds what the feed needs, for a second already: another node's numbering, or nothing gets on.
        if (errorCode(error) === LOCK_NOT_AVAILABLE) tellPending(true);
        else {
          countDatabaseError(error);
          this.log.warning("the feed can't read: {error}", { error: reason(error) });
        }
      }
      await delay(POLL_MS, this.#abort.signal);
    }
  }

  /** Reads what is new into the window; one read at a time, and one more when it was asked for meanwhile. */
  #tail(): Promise<void> {
    this.#tailAgain = true;
    return this.#tailing ??= this.#tailNow().finally(() => this.#tailing = undefined);
  }

  async #tailNow(): Promise<void> {
    while (this.#tailAgain && !this.#abort.signal.aborted) {
      this.#tailAgain = false;
      const events = await readFeed(this.sql, this.#epoch, this.#position, PAGE_EVENTS).catch((error) => {
        countDatabaseError(error);
        this.log.warning("the feed can't read: {error}", { error: reason(error) });
        return [];
      });
      const fresh = events.filter((event) => event.position > this.#position);
      if (fresh.length > 0) this.#append(fresh, true);
      if (events.length === PAGE_EVENTS) this.#tailAgain = true;
    }
  }

  /** Events behind `position`, in their order, as far as they are not removed; empty when nothing came within `waitMs`. */
  async after(position: number, waitMs: number, signal: AbortSignal): Promise<FeedEvent[]> {
    if (position >= this.#position) await this.#news(waitMs, signal);
    if (position >= this.#position) return [];
    const first = this.#window[0]?.position ?? Infinity;
    if (position + 1 >= first) return this.#window.slice(position + 1 - first, position + 1 - first + PAGE_EVENTS);
    return await readFeed(this.sql, this.#epoch, position, PAGE_EVENTS);
  }

  /** Resolves at the next events, or the stop, after `waitMs` at the latest; its timer doesn't outlive it, since events come by the hundred. */
  #news(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake.off("events", done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#wake.on("events", done);
      signal.addEventListener("abort", done);
      if (signal.aborted || this.#abort.signal.aborted) done();
    });
  }
}

function charactersOf(event: FeedEvent): number {
  return event.kind === "notification" ? event.message.length + ID_CHARACTERS * (event.to?.length ?? 0) : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
