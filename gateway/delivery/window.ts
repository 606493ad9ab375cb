/**
 * The newest events of the feed, in memory: whoever resumes within them costs the database nothing but the question what they are
 * subscribed to. In: events from hub.ts. Out: to listeners that catch up.
 */

import type { FeedEvent, MembershipEvent, NotificationEvent, SeenAllEvent, SeenEvent } from "./feed_event.ts";

/** How many events are kept, and how many characters of messages and recipients' ids. */
const MOST_EVENTS = 20_000;
const MOST_CHARACTERS = 16_000_000;
const ID_CHARACTERS = 36;

/** What a user did. */
export type UserEvent = MembershipEvent | SeenEvent | SeenAllEvent;

export class Window {
  /** At consecutive positions, the first of them at `#events[#first]`. */
  #events: FeedEvent[] = [];
  #first = 0;
  #characters = 0;
  #position = 0;
  readonly #byUser = new Map<string, UserEvent[]>();
  readonly #retracted = new Set<string>();
  /** Up to which position a topic's notifications are removed, where some of them may stand here. */
  readonly #pruned = new Map<string, number>();

  constructor(private readonly mostEvents = MOST_EVENTS, private readonly mostCharacters = MOST_CHARACTERS) {}

  /** The last event's. */
  get position(): number {
    return this.#position;
  }

  /** Forgets all; the next event is the one behind `position`. */
  reset(position: number): void {
    this.#events = [];
    this.#first = 0;
    this.#characters = 0;
    this.#position = position;
    this.#byUser.clear();
    this.#retracted.clear();
    this.#pruned.clear();
  }

  push(event: FeedEvent): void {
    this.#events.push(event);
    this.#position = event.position;
    if (event.kind === "notification") this.#characters += charactersOf(event);
    else if (event.kind === "retract") this.#retracted.add(event.id);
    else if (event.kind === "prune") this.#pruned.set(event.topicId, event.upToPosition);
    else if (isOfUser(event)) {
      const events = this.#byUser.get(event.userId);
      if (events === undefined) this.#byUser.set(event.userId, [event]);
      else events.push(event);
    }
    while (this.#events.length - this.#first > this.mostEvents || this.#characters > this.mostCharacters) this.#shift();
    if (this.#first > this.mostEvents) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Up to `limit` events behind `position`; undefined when some of these are no longer here. */
  after(position: number, limit: number): readonly FeedEvent[] | undefined {
    const skip = position - (this.#position - (this.#events.length - this.#first));
    if (skip < 0) return undefined;
    return this.#events.slice(this.#first + skip, this.#first + skip + limit);
  }

  /** What a user did, as far as it is here, in its order. */
  byUser(userId: string): readonly UserEvent[] {
    return this.#byUser.get(userId) ?? [];
  }

  /** Whether a topic's notifications behind `position` are removed by now, some of which may still stand here. */
  isPruned(topics: ReadonlySet<string>, position: number): boolean {
    for (const [topicId, upTo] of this.#pruned) if (upTo > position && topics.has(topicId)) return true;
    return false;
  }

  isRetracted(id: string): boolean {
    return this.#retracted.has(id);
  }

  /** Whether the user has acknowledged the notification, as far as what they did since is here. */
  isSeen(userId: string, { id, topicId, position }: NotificationEvent): boolean {
    return this.byUser(userId).some((event) =>
      event.kind === "seen"
        ? event.notificationId === id
        : event.kind === "seenAll" && event.topicId === topicId && event.upToPosition >= position
    );
  }

  #shift(): void {
    const event = this.#events[this.#first]!;
    this.#events[this.#first++] = undefined as never;
    if (event.kind === "notification") this.#characters -= charactersOf(event);
    else if (event.kind === "retract") this.#retracted.delete(event.id);
    else if (event.kind === "prune") {
      // A later one of the topic stands for it.
      if (this.#pruned.get(event.topicId) === event.upToPosition) this.#pruned.delete(event.topicId);
    } else if (isOfUser(event)) {
      const events = this.#byUser.get(event.userId)!;
      events.shift();
      if (events.length === 0) this.#byUser.delete(event.userId);
    }
  }
}

function charactersOf({ message, to }: NotificationEvent): number {
  return message.length + ID_CHARACTERS * (to?.length ?? 0);
}

function isOfUser(event: FeedEvent): event is UserEvent {
  return event.kind === "join" || event.kind === "leave" || event.kind === "seen" || event.kind === "seenAll";
}
