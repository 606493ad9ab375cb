/**
 * One subscription's way through the feed, as a tagged state:
 *
 *   replaying  what was missed is read page by page; what arrives live meanwhile is buffered
 *   live       events come from the hub, filtered by the topics that the viewer is subscribed to at each position
 *   behind     the buffer was full, so events are let go; once what is queued has been taken, it replays from its last cursor
 *
 * Nothing is lost or repeated at the seams: a replay ends at a position, and live delivery begins behind it.
 */

import type { FeedEvent, NotificationEvent } from "./feed_event.ts";
import { isAway } from "../balancer.ts";
import type { ReplayPage, Replays } from "./replay.ts";
import type { UserError } from "../../kit/errors.ts";
import { backoffMs, delay, SECOND } from "../../kit/time.ts";

export interface ListenOptions {
  readonly userId: string;
  /** Null is every topic that the viewer subscribes to. */
  readonly topicId: string | null;
  /** The cursor behind which to begin; null begins now. */
  readonly after: string | null;
}

/** A notification on its way to one viewer, in the shape of the schema's Notification. */
export interface Delivered {
  readonly id: string;
  readonly topic: { readonly id: string };
  readonly from: { readonly id: string };
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string | null;
  readonly status: "SENT" | "SEEN";
}

/** How many events are kept for a listener that doesn't take them. */
const BUFFER_LIMIT = 1_000;

export class Listener {
  #state: "replaying" | "live" | "behind" = "replaying";
  #buffer: FeedEvent[] = [];
  #queue: NotificationEvent[] = [];
  #topics = new Set<string>();
  #position = 0;
  #wake: () => void = () => {};
  #fault: UserError | undefined;
  readonly #abort = new AbortController();

  constructor(private readonly options: ListenOptions, private readonly replays: Replays) {}

  /** Called by the hub with every event of the feed, in order. */
  push(event: FeedEvent): void {
    if (this.#state === "live") this.#accept(event);
    else if (this.#state === "replaying" && this.#concerns(event)) {
      if (this.#buffer.length < BUFFER_LIMIT) this.#buffer.push(event);
      else this.#fallBehind();
    }
  }

  /** Ends the subscription with `fault`, or without one. */
  end(fault?: UserError): void {
    this.#fault ??= fault;
    this.#abort.abort();
    this.#wake();
  }

  /** The first page: what is wrong with the topic or the cursor is said before anything is delivered. */
  begin(): Promise<ReplayPage> {
    return this.#page(this.options.after, null);
  }

  async *deliveries(first: ReplayPage): AsyncGenerator<Delivered, void, void> {
    let after: string | null = this.options.after;
    for (let page: ReplayPage | undefined = first;; page = undefined) {
      page ??= await this.#pageAtLast(after, null);
      const { position, topicIds, cursor } = page;
      for (;;) {
        for (const missed of page.missed) {
          if (this.#abort.signal.aborted) return this.#ended();
          yield {
            ...missed,
            topic: { id: missed.topicId },
            from: { id: missed.fromUserId },
            status: missed.seen ? "SEEN" : "SENT",
          };
          after = missed.cursor;
        }
        if (!page.more) break;
        page = await this.#pageAtLast(after, position);
      }
      after = cursor;
      this.#goLive(position, topicIds);
      for (let event = await this.#next(); event !== undefined; event = await this.#next()) {
        yield { ...event, topic: { id: event.topicId }, from: { id: event.fromUserId }, status: "SENT" };
        after = event.cursor;
      }
      if (this.#abort.signal.aborted) return this.#ended();
      this.#state = "replaying";
    }
  }

  #ended(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** The next queued event; undefined when this listener has ended, or fell behind and has taken all that was queued. */
  async #next(): Promise<NotificationEvent | undefined> {
    for (;;) {
      if (this.#abort.signal.aborted) return undefined;
      const event = this.#queue.shift();
      if (event !== undefined || this.#state === "behind") return event;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #goLive(position: number, topicIds: readonly string[]): void {
    const buffer = this.#buffer;
    this.#buffer = [];
    this.#position = position;
    this.#topics = new Set(topicIds);
    if (this.#state === "behind") return;
    this.#state = "live";
    for (const event of buffer) this.#accept(event);
  }

  #accept(event: FeedEvent): void {
    if (event.position <= this.#position) return;
    this.#position = event.position;
    if (!this.#concerns(event)) return;
    if (event.kind === "join") this.#topics.add(event.topicId);
    else if (event.kind === "leave") this.#topics.delete(event.topicId);
    else if (event.kind === "notification" && this.#topics.has(event.topicId)) {
      if (this.#queue.length >= BUFFER_LIMIT) return this.#fallBehind();
      this.#queue.push(event);
      this.#wake();
    }
  }

  /** What this viewer may have to know of: their own joins and leaves, broadcasts, and what names them. */
  #concerns(event: FeedEvent): boolean {
    const { userId, topicId } = this.options;
    if (topicId !== null && event.topicId !== topicId) return false;
    if (event.kind === "notification") return event.to === null || event.to.includes(userId);
    return (event.kind === "join" || event.kind === "leave") && event.userId === userId;
  }

  #fallBehind(): void {
    this.#state = "behind";
    this.#buffer = [];
    this.#wake();
  }

  #page(after: string | null, upTo: number | null): Promise<ReplayPage> {
    const { userId, topicId } = this.options;
    return this.replays.page({ userId, topicId, after, upTo });
  }

  /** In the middle of a subscription the notifications service may be away for a while: what was missed comes when it is back. */
  async #pageAtLast(after: string | null, upTo: number | null): Promise<ReplayPage> {
    for (let attempt = 0;; attempt++) {
      try {
        return await this.#page(after, upTo);
      } catch (error) {
        if (!isAway(error) || this.#abort.signal.aborted) throw error;
        await delay(backoffMs(attempt, 100, 2 * SECOND), this.#abort.signal);
      }
    }
  }
}
