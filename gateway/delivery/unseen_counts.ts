/**
 * `unseenCountChanged`: one count for each user who listens, over all of their devices. In: events of the feed, from hub.ts. Out: the
 * present value, then each change, several at once as one.
 *
 *   asking    the count is asked of the database; what happens meanwhile is looked at once it is here
 *   exact     it is known at the hub's position; a notification adds one
 *   doubtful  something happened that only the database can count (an acknowledgement, a retraction, …); it is asked soon
 */

import { Buffer } from "node:buffer";
import { UserError } from "../../kit/errors.ts";
import type { Logger } from "../../kit/log.ts";
import { backoffMs, delay, SECOND } from "../../kit/time.ts";
import { reason } from "../../kit/directory.ts";
import { isAway } from "../balancer.ts";
import { Batches } from "./batches.ts";
import type { FeedEvent, NotificationEvent } from "./feed_event.ts";
import type { Hub } from "./hub.ts";
import type { Running, Sink } from "./operation.ts";

export interface Collecting {
  /** Changes within this time are told as one, in milliseconds. */
  readonly ownMs: number;
  /** What concerns everybody (a retraction, what is removed) is asked about no oftener than this, in milliseconds. */
  readonly allMs: number;
}

const COLLECTING: Collecting = { ownMs: 50, allMs: SECOND / 4 };

interface Listening {
  readonly sink: Sink;
  /** The field's name in the answer. */
  readonly field: string;
  told: number | undefined;
}

class Watch {
  state: "asking" | "exact" | "doubtful" = "asking";
  count = 0;
  topics = new Set<string>();
  /** Counts the times that it was asked about: an answer to an earlier time is void. */
  turn = 0;
  readonly listening = new Set<Listening>();
  constructor(readonly userId: string) {}
}

export class UnseenCounts {
  readonly #watches = new Map<string, Watch>();
  readonly #byTopic = new Map<string, Set<Watch>>();
  readonly #doubtful = new Set<Watch>();
  readonly #changed = new Set<Watch>();
  readonly #counts: Batches<string, { position: number; count: number }>;
  #asking: ReturnType<typeof setTimeout> | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly hub: Hub,
    private readonly log: Logger,
    private readonly collecting: Collecting = COLLECTING,
  ) {
    this.#counts = new Batches(async (userIds) => {
      const { position, counts } = await hub.upstream.unseen(userIds);
      return counts.map((count) => ({ position, count }));
    }, () => new UserError("TOO_MANY_REQUESTS", "too many counts are asked for at once", { retryAfterSeconds: 1 }));
  }

  /** Tells `sink` the present value and each change of it, as `field`. */
  listen(userId: string, field: string, sink: Sink): Running {
    let watch = this.#watches.get(userId);
    const listening: Listening = { sink, field, told: undefined };
    if (watch === undefined) {
      this.#watches.set(userId, watch = new Watch(userId));
      watch.listening.add(listening);
      void this.#ask(watch, true);
    } else {
      watch.listening.add(listening);
      if (watch.state === "exact") this.#tell(watch);
    }
    return { stop: () => this.#leave(watch, listening) };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#asking);
    clearTimeout(this.#telling);
    this.#watches.clear();
    this.#byTopic.clear();
  }

  take(event: FeedEvent): void {
    if (this.#watches.size === 0) return;
    switch (event.kind) {
      case "notification":
        this.#receive(event);
        break;
      case "join":
        this.#join(this.#watches.get(event.userId), event.topicId);
        break;
      case "leave":
        this.#leaveTopic(this.#watches.get(event.userId), event.topicId);
        break;
      case "seen":
      case "seenAll":
        this.#doubt(this.#watches.get(event.userId), this.collecting.ownMs);
        break;
      case "retract":
      case "prune":
      case "delete":
        this.#doubtAll();
        break;
    }
  }

  /** Events were missed: what each is subscribed to isn't known any more either. */
  beginAnew(): void {
    for (const watch of this.#watches.values()) void this.#ask(watch, true);
  }

  /** Whoever once received something may be concerned, subscribed or not. */
  #doubtAll(): void {
    for (const watch of this.#watches.values()) this.#doubt(watch, this.collecting.allMs);
  }

  /** Asks until the count is exact; what went wrong is told to who listens. */
  async #ask(watch: Watch, isNew: boolean): Promise<void> {
    watch.state = "asking";
    this.#doubtful.delete(watch);
    const turn = ++watch.turn;
    const isCurrent = () => !this.#stopped && watch.turn === turn && this.#watches.get(watch.userId) === watch;
    let knowsTopics = !isNew;
    for (let attempt = 0; isCurrent(); attempt++) {
      try {
        if (!knowsTopics) {
          const { position, membership } = await this.hub.membership({ userId: watch.userId, topicId: null });
          if (!isCurrent()) return;
          knowsTopics = this.#setTopics(watch, membership.topicIds, position);
        }
        const { position, count } = await this.#counts.load(watch.userId);
        await this.hub.reached(position);
        if (!isCurrent()) return;
        watch.count = count;
        if (knowsTopics && this.#goOn(watch, position)) {
          watch.state = "exact";
          return this.#tellSoon(watch);
        }
        await delay(this.collecting.ownMs);
      } catch (error) {
        if (!isCurrent()) return;
        const isFirst = [...watch.listening].every(({ told }) => told === undefined);
        if (isFirst || !isAway(error)) return this.#fail(watch, error);
        this.log.debug("counts can't be asked for: {error}", { error: reason(error) });
        await delay(backoffMs(attempt, 100, 2 * SECOND));
      }
    }
  }

  /** From what a user is subscribed to at `position`, what they are now; false where the hub knows no longer what came in between. */
  #setTopics(watch: Watch, topicIds: readonly string[], position: number): boolean {
    if (this.hub.window.after(position, 1) === undefined) return false;
    for (const topicId of [...watch.topics]) this.#leaveTopic(watch, topicId);
    for (const topicId of topicIds) this.#join(watch, topicId);
    for (const event of this.hub.window.byUser(watch.userId)) {
      if (event.position <= position) continue;
      if (event.kind === "join") this.#join(watch, event.topicId);
      else if (event.kind === "leave") this.#leaveTopic(watch, event.topicId);
    }
    return true;
  }

  /** Adds what came behind the answer's position; false where that takes asking again. */
  #goOn(watch: Watch, position: number): boolean {
    const events = this.hub.window.after(position, Infinity);
    if (events === undefined) return false;
    // Of what it was subscribed to then and now nothing differs, unless it joined or left in between.
    for (const event of events) {
      if (event.kind === "notification") {
        if (isFor(watch, event)) watch.count++;
      } else if (event.kind === "seen" || event.kind === "seenAll" || event.kind === "join" || event.kind === "leave") {
        if (event.userId === watch.userId) return false;
      } else if (event.kind !== "topic") return false;
    }
    return true;
  }

  #receive(event: NotificationEvent): void {
    const watches = event.to === null
      ? this.#byTopic.get(event.topicId) ?? []
      : event.to.map((userId) => this.#watches.get(userId));
    for (const watch of watches) {
      if (watch?.state !== "exact" || !isFor(watch, event)) continue;
      watch.count++;
      this.#tellSoon(watch);
    }
  }

  #doubt(watch: Watch | undefined, withinMs: number): void {
    if (watch?.state !== "exact") return;
    watch.state = "doubtful";
    this.#doubtful.add(watch);
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      const doubtful = [...this.#doubtful];
      this.#doubtful.clear();
      for (const one of doubtful) void this.#ask(one, false);
    }, withinMs);
  }

  #join(watch: Watch | undefined, topicId: string): void {
    if (watch === undefined) return;
    watch.topics.add(topicId);
    const watches = this.#byTopic.get(topicId);
    if (watches === undefined) this.#byTopic.set(topicId, new Set([watch]));
    else watches.add(watch);
  }

  #leaveTopic(watch: Watch | undefined, topicId: string): void {
    if (!watch?.topics.delete(topicId)) return;
    const watches = this.#byTopic.get(topicId);
    watches?.delete(watch);
    if (watches?.size === 0) this.#byTopic.delete(topicId);
  }

  #tellSoon(watch: Watch): void {
    this.#changed.add(watch);
    // The first value is told at once.
    for (const { told } of watch.listening) if (told === undefined) return this.#tell(watch);
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      for (const one of this.#changed) if (one.state === "exact") this.#tell(one);
      this.#changed.clear();
    }, this.collecting.ownMs);
  }

  #tell(watch: Watch): void {
    for (const listening of watch.listening) {
      if (listening.told === watch.count) continue;
      listening.told = watch.count;
      listening.sink.next(Buffer.from(JSON.stringify({ data: { [listening.field]: watch.count } })));
    }
  }

  #fail(watch: Watch, error: unknown): void {
    const masked = this.hub.masked(error);
    for (const listening of [...watch.listening]) {
      this.#leave(watch, listening);
      listening.sink.error([masked]);
    }
  }

  #leave(watch: Watch, listening: Listening): void {
    watch.listening.delete(listening);
    if (watch.listening.size > 0 || this.#watches.get(watch.userId) !== watch) return;
    this.#watches.delete(watch.userId);
    this.#doubtful.delete(watch);
    this.#changed.delete(watch);
    for (const topicId of [...watch.topics]) this.#leaveTopic(watch, topicId);
  }
}

/** Whether its user receives the notification: of those whom a targeted one names, who is subscribed. */
function isFor({ userId, topics }: Watch, { topicId, to }: NotificationEvent): boolean {
  return topics.has(topicId) && (to === null || to.includes(userId));
}
