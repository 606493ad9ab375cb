/**
 * The users, topics and notifications that events name, as every viewer sees them: fetched once, in batches, and kept. A topic is
 * forgotten when the feed says that it changed; all else after a while. While a service is away what was known serves on.
 */

import { LRUCache } from "lru-cache";
import { UserError } from "../../kit/errors.ts";
import { MINUTE } from "../../kit/time.ts";
import { isAway } from "../balancer.ts";
import { Batches } from "./batches.ts";
import type { MissedNotification, TopicRow, Upstream, UserRow } from "./upstream.ts";

const MOST = 50_000;
/** How long something is believed, in milliseconds. */
const BELIEVED_MS = MINUTE;

export class Entities {
  readonly users: Known<UserRow>;
  readonly topics: Known<TopicRow>;
  readonly notifications: Known<MissedNotification>;

  constructor(upstream: Upstream) {
    this.users = new Known("auth", (ids) => upstream.users(ids));
    this.topics = new Known("notifications", (ids) => upstream.topics(ids));
    this.notifications = new Known("notifications", (ids) => upstream.notifications(ids, null));
  }
}

interface Entry<Row> {
  readonly row: Row | null;
  readonly until: number;
}

export class Known<Row extends object> {
  readonly #entries = new LRUCache<string, Entry<Row>>({ max: MOST });
  readonly #asking = new Map<string, Promise<Row | null>>();
  readonly #batches: Batches<string, Row | null>;

  constructor(service: string, ask: (ids: readonly string[]) => Promise<(Row | null)[]>) {
    this.#batches = new Batches(ask, () => new UserError("SERVICE_UNAVAILABLE", `the service ${service} is full`));
  }

  /** At once where it is known. @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT` where it isn't and can't be asked for */
  get(id: string): Row | null | Promise<Row | null> {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.until > Date.now()) return entry.row;
    const asked = this.#asking.get(id) ?? this.#ask(id);
    return entry === undefined ? asked : asked.catch((error) => {
      if (isAway(error)) return entry.row;
      throw error;
    });
  }

  forget(id: string): void {
    this.#entries.delete(id);
    // What is on its way may be from before the change.
    this.#asking.delete(id);
  }

  #ask(id: string): Promise<Row | null> {
    const asking: Promise<Row | null> = this.#batches.load(id).then((row) => {
      if (this.#asking.get(id) === asking) this.#entries.set(id, { row, until: Date.now() + BELIEVED_MS });
      return row;
    }).finally(() => {
      if (this.#asking.get(id) === asking) this.#asking.delete(id);
    });
    this.#asking.set(id, asking);
    return asking;
  }
}
