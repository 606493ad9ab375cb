/**
 * All subscriptions of this gateway on one upstream feed. In: events in order, from feed.ts. Out: to each group of listeners what is its
 * own. Next: group.ts executes and serialises it, and the sinks (outbox.ts, server_sent_events.ts) write it.
 */

import type { GraphQLFormattedError } from "graphql";
import type { Logger } from "../../kit/log.ts";
import { isErrorCode, UserError } from "../../kit/errors.ts";
import { maskError } from "../../kit/graphql.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { Turns } from "../../kit/turns.ts";
import type { Balancer } from "../balancer.ts";
import { Batches } from "./batches.ts";
import { writeFeedCursor } from "./cursor.ts";
import { Entities } from "./entities.ts";
import { UpstreamFeed } from "./feed.ts";
import type { FeedEvent, NotificationEvent, SeenAllEvent, SeenEvent } from "./feed_event.ts";
import type { Group } from "./group.ts";
import type { Listener } from "./listener.ts";
import { cursorsExpired, deliveries, listenersGauge } from "./metrics.ts";
import { delivered } from "./roots.ts";
import type { Source } from "./sources.ts";
import { TopicIndex } from "./topic_index.ts";
import { type Given, TracedDelivery } from "./traced_delivery.ts";
import { type Collecting, UnseenCounts } from "./unseen_counts.ts";
import { type Membership, Upstream, type Viewer } from "./upstream.ts";
import { Window } from "./window.ts";

/** How long a subscription waits for the feed to be heard, or to reach a position that the database has, in milliseconds. */
const FEED_LIMIT_MS = 5 * SECOND;
/** How many replays from the database are under way at once, and how many wait their turn. */
const REPLAYS_AT_ONCE = 8;
const MOST_REPLAYS = 100_000;

export interface HubOptions {
  readonly window?: Window;
  /** How long changes of counts are collected. */
  readonly collecting?: Collecting;
  /** Calls back when what sinks were given in this turn has been written; by default at its end. */
  readonly written?: (then: () => void) => void;
}

export class Hub {
  readonly upstream: Upstream;
  readonly entities: Entities;
  readonly unseen: UnseenCounts;
  readonly replays: Turns = new Turns(REPLAYS_AT_ONCE, MOST_REPLAYS, {
    message: "too many wait for what they missed",
    retryAfterSeconds: 1,
  });
  /** All that began and haven't stopped. */
  readonly #listeners = new Set<Listener>();
  readonly #live = new Map<string, Set<Listener>>();
  readonly #received = new TopicIndex();
  readonly #acknowledged = new TopicIndex();
  readonly #feed: UpstreamFeed;
  readonly #memberships: Batches<Viewer, { position: number; epoch: string; membership: Membership }>;
  readonly #written: (then: () => void) => void;
  #wake: (() => void)[] = [];

  readonly window: Window;

  constructor(
    balancer: Balancer,
    secret: string,
    private readonly log: Logger,
    { window = new Window(), collecting, written = (then) => void setImmediate(then) }: HubOptions = {},
  ) {
    this.window = window;
    this.#written = written;
    this.upstream = new Upstream(balancer, secret);
    this.entities = new Entities(this.upstream);
    this.unseen = new UnseenCounts(this, log, collecting);
    this.#memberships = new Batches(async (viewers) => {
      const { position, epoch, viewers: found } = await this.upstream.memberships(viewers);
      return found.map((membership) => ({ position, epoch, membership }));
    }, () => new UserError("TOO_MANY_REQUESTS", "too many subscriptions begin at once", { retryAfterSeconds: 1 }));
    this.#feed = new UpstreamFeed(balancer, secret, log, {
      onStart: (position) => this.window.reset(position),
      onEvent: (event) => this.#take(event),
      onSkip: (from, to) => this.#skip(from, to),
      onOtherEpoch: (position) => this.#beginAnew(position),
    });
  }

  /** Subscriptions that are open. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Undefined until the feed was heard once. */
  get position(): number | undefined {
    return this.#feed.position;
  }

  get epoch(): string {
    return this.#feed.epoch ?? "";
  }

  /** As {@link UpstreamFeed.silentMs}. */
  get silentMs(): number {
    return this.#feed.silentMs;
  }

  start(): void {
    this.#feed.start();
  }

  /** Subscriptions just end: a client that comes back elsewhere goes on behind its last cursor. */
  async stop(): Promise<void> {
    for (const listener of this.#listeners) listener.stop();
    this.unseen.stop();
    await this.#feed.stop();
  }

  listen(listener: Listener): void {
    this.#listeners.add(listener);
    listener.group.enter();
    void listener.run();
  }

  left(listener: Listener): void {
    this.#listeners.delete(listener);
    listener.group.leave();
  }

  enterLive(listener: Listener): void {
    listenersGauge.inc();
    const { userId } = listener.options;
    const listeners = this.#live.get(userId);
    if (listeners === undefined) this.#live.set(userId, new Set([listener]));
    else listeners.add(listener);
    for (const topicId of listener.topics) this.index(listener.source).add(topicId, listener);
  }

  leaveLive(listener: Listener): void {
    listenersGauge.dec();
    const { userId } = listener.options;
    const listeners = this.#live.get(userId);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#live.delete(userId);
    for (const topicId of listener.topics) this.index(listener.source).delete(topicId, listener);
  }

  index({ kind }: Source): TopicIndex {
    return kind === "received" ? this.#received : this.#acknowledged;
  }

  /**
   * What a viewer is subscribed to, and the position at which that holds, which the hub has reached.
   * @throws UserError what is wrong with the topic, `SERVICE_UNAVAILABLE`, …
   */
  async membership(viewer: Viewer): Promise<{ position: number; membership: Membership }> {
    const { position, epoch, membership } = await this.#memberships.load(viewer);
    const { error } = membership;
    if (error !== undefined) throw new UserError(isErrorCode(error.code) ? error.code : "INTERNAL", error.error);
    await this.reached(position);
    // The position is one of another feed, of which the hub hears in a moment.
    if (epoch !== this.epoch) throw new UserError("SERVICE_UNAVAILABLE", "the feed was replaced; subscribe again");
    return { position, membership };
  }

  /** Resolves when the hub stands at `position` or behind it. @throws UserError `SERVICE_UNAVAILABLE` */
  async reached(position: number): Promise<void> {
    const giveUpAt = Date.now() + FEED_LIMIT_MS;
    while (this.position === undefined || this.window.position < position) {
      if (Date.now() > giveUpAt) throw new UserError("SERVICE_UNAVAILABLE", "the feed is away just now");
      await Promise.race([new Promise<void>((resolve) => this.#wake.push(resolve)), delay(100)]);
    }
  }

  /** One page of a replay from the database, when its turn comes. */
  page<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    return this.replays.run(ask);
  }

  masked(error: unknown): GraphQLFormattedError {
    const masked = maskError(error instanceof Error ? error : new Error(String(error)), this.log).toJSON();
    if (masked.extensions?.code === "CURSOR_EXPIRED") cursorsExpired.inc();
    return masked;
  }

  #take(event: FeedEvent): void {
    this.window.push(event);
    deliveries.inc({ kind: event.kind });
    switch (event.kind) {
      case "notification": {
        const traced = TracedDelivery.begin(event);
        const given = this.#deliver(event, traced?.traceId);
        void traced?.follow(given, this.#written);
        break;
      }
      case "join":
      case "leave":
        for (const listener of this.#live.get(event.userId) ?? []) listener.apply(event);
        break;
      case "seen":
      case "seenAll":
        this.#acknowledge(event);
        break;
      case "topic":
        this.entities.topics.forget(event.topicId);
        break;
      case "delete":
        this.entities.topics.forget(event.topicId);
        this.#delete(event);
        break;
    }
    this.unseen.take(event);
    this.#wakeAll();
  }

  #deliver(event: NotificationEvent, traceId: string | undefined): Given {
    const groups = this.#received.of(event.topicId);
    if (groups.size === 0) return groups;
    const root = delivered(event, false, traceId);
    if (event.to === null) {
      for (const [group, listeners] of groups) group.deliver(root, listeners);
      return groups;
    }
    const named = new Map<Group, Listener[]>();
    for (const userId of event.to) {
      for (const listener of this.#live.get(userId) ?? []) {
        if (!groups.get(listener.group)?.has(listener)) continue;
        const listeners = named.get(listener.group);
        if (listeners === undefined) named.set(listener.group, [listener]);
        else listeners.push(listener);
      }
    }
    for (const [group, listeners] of named) group.deliver(root, listeners);
    return named;
  }

  #acknowledge(event: SeenEvent | SeenAllEvent): void {
    for (const [group, listeners] of this.#acknowledged.of(event.topicId)) {
      const [one] = listeners;
      // They are all of one user, the topic's creator, and so are the roots that their sources make.
      group.deliver(one!.source.ofEvent(event, () => false)!.root, listeners);
    }
  }

  #delete(event: FeedEvent): void {
    for (const index of [this.#received, this.#acknowledged]) {
      for (const listeners of [...index.of(event.topicId).values()]) {
        for (const listener of [...listeners]) listener.apply(event);
      }
    }
    // Those of the topic alone whose viewer isn't subscribed.
    for (const listener of this.#listeners) {
      if (listener.options.topicId === event.topicId) listener.apply(event);
    }
  }

  /** Events from behind `from` up to `to` are removed: each listener asks the database what that means to it. */
  #skip(from: number, to: number): void {
    this.window.reset(to);
    for (const listener of [...this.#listeners]) listener.restart(from);
    this.unseen.beginAnew();
  }

  #beginAnew(position: number): void {
    this.window.reset(position);
    const fault = new UserError("CURSOR_EXPIRED", "the feed was replaced; subscribe again", {
      oldestCursor: writeFeedCursor({ epoch: this.epoch, position }),
    });
    for (const listener of [...this.#listeners]) listener.fail(fault);
    this.unseen.beginAnew();
  }

  #wakeAll(): void {
    const wake = this.#wake;
    if (wake.length === 0) return;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
