/**
 * All subscriptions of this gateway on one upstream feed. In: events in order, from feed.ts. Out: to each listener what is its own.
 * Next: socket.ts and server_sent_events.ts, which write what the listeners' executions give.
 */

import { Gauge } from "prom-client";
import type { Logger } from "../../kit/log.ts";
import { UserError } from "../../kit/errors.ts";
import { registry } from "../../kit/metrics.ts";
import { delay, SECOND } from "../../kit/time.ts";
import type { Balancer } from "../balancer.ts";
import { UpstreamFeed } from "./feed.ts";
import { type Delivered, Listener, type ListenOptions } from "./listener.ts";
import { Replays } from "./replay.ts";

export type { Delivered };

/** How long a subscription waits for a feed that was never heard, in milliseconds. */
const FEED_LIMIT_MS = 3 * SECOND;

const listenersGauge = new Gauge({
  name: "notifyx_delivery_listeners",
  help: "Subscriptions to notificationReceived that are open on this gateway",
  registers: [registry],
});

export class Hub {
  /** All that get events, those included whose beginning isn't known yet. */
  readonly #listeners = new Set<Listener>();
  /** Those that have begun: whatever is committed from now on reaches them. */
  readonly #begun = new Set<Listener>();
  readonly #feed: UpstreamFeed;
  readonly #replays: Replays;

  constructor(balancer: Balancer, secret: string, log: Logger) {
    this.#replays = new Replays(balancer, secret);
    this.#feed = new UpstreamFeed(balancer, secret, log, (event) => {
      for (const listener of this.#listeners) listener.push(event);
    }, () => this.#endAll(new UserError("CURSOR_EXPIRED", "the feed was replaced; subscribe again")));
  }

  get size(): number {
    return this.#begun.size;
  }

  get position(): number | undefined {
    return this.#feed.position;
  }

  start(): void {
    this.#feed.start();
  }

  async stop(): Promise<void> {
    this.#endAll();
    await this.#feed.stop();
  }

  /**
   * What the viewer receives from `after` or from now on; `return()` ends it at once.
   * @throws UserError `NOT_FOUND` for the topic, `BAD_USER_INPUT` or `CURSOR_EXPIRED` for the cursor, `SERVICE_UNAVAILABLE`
   */
  async listen(options: ListenOptions): Promise<AsyncIterableIterator<Delivered>> {
    await this.#untilHeard();
    const listener = new Listener(options, this.#replays);
    // Before the first page is asked for: what stands behind its position in the feed is not to be missed meanwhile.
    this.#listeners.add(listener);
    try {
      const first = await listener.begin();
      this.#begun.add(listener);
      listenersGauge.set(this.#begun.size);
      return this.#iterate(listener, listener.deliveries(first));
    } catch (error) {
      this.#remove(listener);
      throw error;
    }
  }

  /** A generator's own return() waits for its pending next(), which may never come. */
  #iterate(listener: Listener, deliveries: AsyncGenerator<Delivered, void, void>): AsyncIterableIterator<Delivered> {
    const done = () => this.#remove(listener);
    return {
      async next() {
        try {
          const result = await deliveries.next();
          if (result.done) done();
          return result;
        } catch (error) {
          done();
          throw error;
        }
      },
      return() {
        done();
        listener.end();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async #untilHeard(): Promise<void> {
    const giveUpAt = Date.now() + FEED_LIMIT_MS;
    while (this.#feed.position === undefined) {
      if (Date.now() > giveUpAt) {
        throw new UserError("SERVICE_UNAVAILABLE", "the service notifications is away just now");
      }
      await delay(20);
    }
  }

  #endAll(fault?: UserError): void {
    for (const listener of this.#listeners) listener.end(fault);
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener);
    this.#begun.delete(listener);
    listenersGauge.set(this.#begun.size);
  }
}
