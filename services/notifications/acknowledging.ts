/**
 * Acknowledgements of this node, many in one transaction: each takes its place in the feed, under the lock that numbering needs. In:
 * pairs of a user and a notification, or requests to acknowledge all; out: when they are durable and have their places. While one
 * transaction is under way what comes collects for the next, so that a node holds the lock once at a time whoever acknowledges.
 */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";

/** How many pairs one transaction takes: it holds the lock for some 20 ms then. */
const PAIRS_LIMIT = 1_000;
/** How many requests to acknowledge all one transaction takes. */
const ALL_LIMIT = 50;
/** How much may wait; who comes then is told to come again. */
const WAITING_LIMIT = 50_000;

export interface Pair {
  readonly userId: string;
  readonly notificationId: string;
}
export interface AllRequest {
  readonly userId: string;
  /** Null is all topics. */
  readonly topicId: string | null;
  /** A position; null is all. */
  readonly upTo: number | null;
}

export class Acknowledging {
  readonly #pairs: Batches<Pair, undefined>;
  readonly #all: Batches<AllRequest, number>;

  constructor(sql: Sql) {
    this.#pairs = new Batches(PAIRS_LIMIT, async (pairs) => {
      await sql`select acknowledge(${pairs.map((pair) => pair.userId)}::uuid[], ${
        pairs.map((pair) => pair.notificationId)
      }::uuid[])`;
      return pairs.map(() => undefined);
    });
    this.#all = new Batches(ALL_LIMIT, async (requests) => {
      const rows = await sql<{ count: number }[]>`
        select acknowledge_all(r.user_id, r.topic_id, r.up_to) as count from unnest(${
        requests.map((one) => one.userId)
      }::uuid[],
          ${requests.map((one) => one.topicId)}::uuid[], ${requests.map((one) => one.upTo)}::bigint[])
          with ordinality as r (user_id, topic_id, up_to, nth) order by nth`;
      return rows.map(({ count }) => count);
    });
  }

  /** Resolves when all are durable; what the user can't acknowledge is left out. */
  async each(pairs: readonly Pair[]): Promise<void> {
    await this.#pairs.add(pairs);
  }

  /** How many became seen. */
  async all(request: AllRequest): Promise<number> {
    return (await this.#all.add([request]))[0]!;
  }
}

interface Waiting<Item, Result> {
  readonly items: readonly Item[];
  readonly resolve: (results: Result[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls of `run` one after the other, each with what came meanwhile, up to `limit` items or one caller's. */
class Batches<Item, Result> {
  #waiting: Waiting<Item, Result>[] = [];
  #size = 0;
  #running = false;

  constructor(private readonly limit: number, private readonly run: (items: Item[]) => Promise<Result[]>) {}

  /** @throws UserError `TOO_MANY_REQUESTS` when too much waits */
  add(items: readonly Item[]): Promise<Result[]> {
    if (this.#size + items.length > WAITING_LIMIT) {
      throw new UserError("TOO_MANY_REQUESTS", "too many acknowledge at once; come again", { retryAfterSeconds: 1 });
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      this.#size += items.length;
      void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    while (this.#waiting.length > 0) await this.#next();
    this.#running = false;
  }

  async #next(): Promise<void> {
    let count = 1;
    let size = this.#waiting[0]!.items.length;
    for (; count < this.#waiting.length; count++) {
      const { length } = this.#waiting[count]!.items;
      if (size + length > this.limit) break;
      size += length;
    }
    const batch = this.#waiting.splice(0, count);
    this.#size -= size;
    try {
      const results = await this.run(batch.flatMap(({ items }) => items));
      let from = 0;
      for (const { items, resolve } of batch) resolve(results.slice(from, from += items.length));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
