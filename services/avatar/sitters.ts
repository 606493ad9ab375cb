/**
 * The letters of users, from their addresses, which auth knows (`POST /api/users`). In: an id. Out: letters, which are kept; the address
 * isn't. What is asked for in one turn is one call.
 */

import DataLoader from "dataloader";
import { LRUCache } from "lru-cache";
import { Addresses } from "../../kit/addresses.ts";
import { measureCache } from "../../kit/cache_metrics.ts";
import type { Directory } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { PAGE_LIMIT } from "../../kit/paging.ts";
import { SECOND } from "../../kit/time.ts";
import { initialsOf } from "./drawing/initials.ts";

/** Whose letters are kept; an address never changes. */
const MOST_KEPT = 100_000;
/** How many may wait for auth. */
const MOST_WAITING = 10_000;
/** How many of auth's nodes are asked, and how long each may take, in milliseconds. */
const ATTEMPTS = 2;
const LIMIT_MS = 1.5 * SECOND;
const RETRY_AFTER_SECONDS = 2;

export class Sitters {
  readonly #letters = new LRUCache<string, string>({ max: MOST_KEPT });
  readonly #addresses: Addresses;
  readonly #loader: DataLoader<string, string | null>;
  #waiting = 0;

  constructor(directory: Directory, secret: string) {
    measureCache("letters", this.#letters);
    this.#addresses = new Addresses(directory, secret, { attempts: ATTEMPTS, limitMs: LIMIT_MS });
    this.#loader = new DataLoader((ids) => this.#ask(ids), { cache: false, maxBatchSize: PAGE_LIMIT });
  }

  /** @throws UserError `NOT_FOUND` for nobody's id, `SERVICE_UNAVAILABLE` where auth is away */
  async letters(id: string): Promise<string> {
    const kept = this.#letters.get(id);
    if (kept !== undefined) return kept;
    if (this.#waiting >= MOST_WAITING) throw away();
    this.#waiting++;
    const letters = await this.#loader.load(id).finally(() => this.#waiting--);
    if (letters === null) throw new UserError("NOT_FOUND", "there is no such user");
    this.#letters.set(id, letters);
    return letters;
  }

  async #ask(ids: readonly string[]): Promise<(string | null)[]> {
    try {
      const found = await this.#addresses.of(ids);
      return ids.map((id) => {
        const email = found.get(id)?.email;
        return email === undefined ? null : initialsOf(email);
      });
    } catch (error) {
      throw error instanceof UserError ? away() : error;
    }
  }
}

function away(): UserError {
  const retryAfterSeconds = RETRY_AFTER_SECONDS;
  return new UserError("SERVICE_UNAVAILABLE", "initials can't be looked up just now", { retryAfterSeconds });
}
