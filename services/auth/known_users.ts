/**
 * Users by their ids, kept once they were read: what auth tells of a user never changes. In: ids. Out: users in their order, null for an
 * unknown one, which is asked for again each time, since it may register.
 */

import { LRUCache } from "lru-cache";
import { measureCache } from "../../kit/cache_metrics.ts";
import { MINUTE } from "../../kit/time.ts";
import { usersAsked } from "./metrics.ts";
import type { User } from "./store.ts";

const MOST_USERS = 100_000;
/** Bounds for how long a database that was restored to an earlier moment is contradicted, in milliseconds. */
const KEPT_MS = 5 * MINUTE;

export class KnownUsers {
  readonly #users = new LRUCache<string, User>({ max: MOST_USERS, ttl: KEPT_MS });

  /** @param read the users of these ids in their order, from the database */
  constructor(private readonly read: (ids: readonly string[]) => Promise<(User | null)[]>) {
    measureCache("users", this.#users);
  }

  async one(id: string): Promise<User | null> {
    return (await this.all([id]))[0]!;
  }

  async all(ids: readonly string[]): Promise<(User | null)[]> {
    const found = ids.map((id) => this.#users.get(id.toLowerCase()) ?? null);
    const unknown = ids.filter((_, nth) => found[nth] === null);
    usersAsked.inc({ found: "yes" }, ids.length - unknown.length);
    usersAsked.inc({ found: "no" }, unknown.length);
    if (unknown.length === 0) return found;
    const read = (await this.read(unknown)).values();
    return found.map((user) => {
      if (user !== null) return user;
      const one = read.next().value ?? null;
      if (one !== null) this.#users.set(one.id, one);
      return one;
    });
  }
}
