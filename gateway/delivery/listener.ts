/**
 * One subscription's way through the feed:
 *
 *   beginning  what the viewer is subscribed to is asked for, and the cursor checked
 *   catching   what stands behind its position is read, from the hub's window where that reaches so far back, else page by page from the
 *              database; as fast as its reader takes it, and nothing is kept for it meanwhile
 *   live       the hub gives it each event that concerns it
 *   stopped    by its client, by what went wrong, or with its topic
 *
 * Nothing is lost or repeated at the seams: it becomes live in the turn of the event loop in which it stands at the hub's position.
 */

import { UserError } from "../../kit/errors.ts";
import { unknownCursor } from "../../kit/paging.ts";
import { backoffMs, delay, SECOND } from "../../kit/time.ts";
import { isAway } from "../balancer.ts";
import { readFeedCursor, writeFeedCursor } from "./cursor.ts";
import type { Payload } from "./execution.ts";
import type { FeedEvent, NotificationEvent } from "./feed_event.ts";
import type { Group } from "./group.ts";
import type { Hub } from "./hub.ts";
import type { Sink } from "./operation.ts";
import type { Root, Source } from "./sources.ts";
import { resumes } from "./metrics.ts";

export interface ListenOptions {
  readonly userId: string;
  /** Null is every topic that the viewer subscribes to. */
  readonly topicId: string | null;
  /** The cursor behind which to begin; null begins now. */
  readonly after: string | null;
}

/** How many events are looked at before others get their turn. */
const SLICE = 500;

export class Listener {
  #state: "beginning" | "catching" | "live" | "stopped" = "beginning";
  #topics = new Set<string>();
  /** Up to here it has all that concerns it; while it is live the hub's position stands for it. */
  #position = 0;
  readonly #isSeen = (event: NotificationEvent) => this.hub.window.isSeen(this.options.userId, event);
  /** Made where it pauses: most never do. */
  #abort: AbortController | undefined;

  constructor(
    readonly options: ListenOptions,
    readonly source: Source,
    readonly group: Group,
    readonly sink: Sink,
    private readonly hub: Hub,
  ) {}

  get stopped(): boolean {
    return this.#state === "stopped";
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  /** Runs until it is live, or stopped; what goes wrong is told to the sink. */
  async run(): Promise<void> {
    try {
      const after = await this.#begin();
      // The first answer of the database says whether the client's cursor is one.
      if (after !== undefined && !this.stopped) await this.#fromDatabase(after, true);
      await this.#goOn();
    } catch (error) {
      this.fail(error);
    }
  }

  async #goOn(): Promise<void> {
    for (let after = await this.#catchUp(); after !== undefined && !this.stopped; after = await this.#catchUp()) {
      await this.#fromDatabase(after, false);
    }
  }

  /** The hub missed what came behind `position`, up to which this live listener has all. */
  restart(position: number): void {
    if (this.#state !== "live") return;
    this.hub.leaveLive(this);
    this.#state = "catching";
    this.#position = position;
    // What was given to it while it was live may still wait in its group.
    Promise.resolve(this.group.settled()).then(() => this.#goOn()).catch((error) => this.fail(error));
  }

  /** The client completed it or is gone. */
  stop(): void {
    if (this.stopped) return;
    if (this.#state === "live") this.hub.leaveLive(this);
    this.#state = "stopped";
    this.#abort?.abort();
    this.hub.left(this);
  }

  fail(error: unknown): void {
    if (this.stopped) return;
    this.stop();
    this.sink.error([this.hub.masked(error)]);
  }

  complete(): void {
    if (this.stopped) return;
    this.stop();
    this.sink.complete();
  }

  /** What changes for the viewer at an event, before it is delivered, while it catches up or is live. */
  apply(event: FeedEvent): void {
    const { topicId } = event;
    const { userId, topicId: only } = this.options;
    if (only !== null && only !== topicId) return;
    if (event.kind === "delete") {
      this.#drop(topicId);
      if (only !== null) this.complete();
    } else if (event.kind === "join" && event.userId === userId && this.source.kind === "received") {
      this.#topics.add(topicId);
      if (this.#state === "live") this.hub.index(this.source).add(topicId, this);
    } else if (event.kind === "leave" && event.userId === userId && this.source.kind === "received") {
      this.#drop(topicId);
    }
  }

  #drop(topicId: string): void {
    if (this.#topics.delete(topicId) && this.#state === "live") this.hub.index(this.source).delete(topicId, this);
  }

  /** Undefined when it can catch up from the window, else the cursor behind which the database has to be asked. */
  async #begin(): Promise<string | undefined> {
    const { userId, topicId, after } = this.options;
    const { position, membership } = await this.hub.membership({ userId, topicId });
    if (this.stopped) return undefined;
    this.source.check(membership, userId);
    this.#state = "catching";
    this.#topics = new Set(this.source.kind === "received" ? membership.topicIds : [topicId!]);
    this.#position = position;
    if (after === null) {
      this.sink.beginsAt(writeFeedCursor({ epoch: this.hub.epoch, position }));
      return undefined;
    }
    const cursor = readFeedCursor(after);
    // The database knows what to say of another epoch.
    if (cursor.epoch !== this.hub.epoch) return after;
    if (cursor.position > position) throw unknownCursor();
    if (this.hub.window.after(cursor.position, 1) === undefined) return after;
    this.#goBack(cursor.position, position);
    // Whether what is removed concerns this viewer, the database knows.
    if (this.hub.window.isPruned(this.#topics, cursor.position)) return after;
    resumes.inc({ from: "window" });
    return undefined;
  }

  /** From what the viewer is subscribed to at one position, what they were at an earlier one. */
  #goBack(to: number, from: number): void {
    for (const event of this.hub.window.byUser(this.options.userId).toReversed()) {
      if (event.position > from) continue;
      if (event.position <= to) break;
      if (this.source.kind !== "received") continue;
      if (this.options.topicId !== null && this.options.topicId !== event.topicId) continue;
      if (event.kind === "join") this.#topics.delete(event.topicId);
      else if (event.kind === "leave") this.#topics.add(event.topicId);
    }
    this.#position = to;
  }

  /** Undefined when it is live or stopped, else the cursor behind which the window has no longer all. */
  async #catchUp(): Promise<string | undefined> {
    while (!this.stopped) {
      const events = this.hub.window.after(this.#position, SLICE);
      if (events === undefined || this.hub.window.isPruned(this.#topics, this.#position)) {
        return writeFeedCursor({ epoch: this.hub.epoch, position: this.#position });
      }
      if (events.length === 0) return this.#goLive();
      for (const event of events) {
        this.apply(event);
        const root = this.#rootOf(event);
        if (root !== undefined) await this.#give(root);
        if (this.stopped) return undefined;
        this.#position = event.position;
      }
      if (events.length === SLICE) await nextTurn();
    }
    return undefined;
  }

  #rootOf(event: FeedEvent): Root | undefined {
    if (!this.#topics.has(event.topicId)) return undefined;
    if (event.kind === "notification") {
      if (event.to !== null && !event.to.includes(this.options.userId)) return undefined;
      if (this.hub.window.isRetracted(event.id)) return undefined;
    }
    return this.source.ofEvent(event, this.#isSeen);
  }

  #goLive(): undefined {
    this.#state = "live";
    this.hub.enterLive(this);
  }

  async #fromDatabase(cursor: string, isFirst: boolean): Promise<void> {
    resumes.inc({ from: "database" });
    let upTo: number | null = null;
    for (let after = cursor, more = true; more;) {
      const page = await this.#page(after, upTo, isFirst && upTo === null);
      if (page === undefined || this.stopped) return;
      if (upTo === null) {
        upTo = page.position;
        if (page.topicIds !== undefined) this.#topics = new Set(page.topicIds);
      }
      for (const row of page.missed) {
        await this.#give(this.source.ofRow(row));
        if (this.stopped) return;
      }
      more = page.more;
      after = page.missed.at(-1)?.cursor ?? after;
    }
    this.#position = upTo!;
    await this.hub.reached(upTo!);
  }

  async #give({ key, root }: Root): Promise<void> {
    const payload: Payload = this.group.payload(key, root);
    const bytes = payload instanceof Uint8Array ? payload : await payload;
    if (this.stopped) return;
    this.sink.next(bytes, root.cursor);
    // After each: a few large ones are all that may wait for a socket.
    const room = this.sink.room();
    if (room !== undefined) await room;
  }

  /**
   * Undefined once it is stopped. In the middle of a subscription (not `isFirst`) the notifications service may be away for a while: what
   * was missed comes when it is back.
   */
  async #page(after: string, upTo: number | null, isFirst: boolean) {
    const { userId, topicId } = this.options;
    for (let attempt = 0; !this.stopped; attempt++) {
      try {
        // One whose client left while it waited for its turn asks for nothing.
        return await this.hub.page(async () =>
          this.stopped ? undefined : await this.source.page({ userId, topicId, after, upTo })
        );
      } catch (error) {
        // Its topic was deleted meanwhile.
        if (!isFirst && error instanceof UserError && error.code === "NOT_FOUND") this.complete();
        if (isFirst || !isAway(error)) throw error;
        await delay(backoffMs(attempt, 100, 2 * SECOND), (this.#abort ??= new AbortController()).signal);
      }
    }
    return undefined;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
