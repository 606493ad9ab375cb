/**
 * How much a user and an address may ask for in a minute (npm `rate-limiter-flexible`, in this process's memory). Fields that take a
 * password have counts of their own, for each time that one stands in a document: by their address, by the account that they name from
 * that address, and, five times as wide, by the account alone. So who guesses is stopped, and whom they guess at can still sign in.
 */

import { LRUCache } from "lru-cache";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { UserError } from "../../kit/errors.ts";
import { SECOND } from "../../kit/time.ts";
import { countRefused } from "./metrics.ts";
import type { GuardConfig } from "./settings.ts";

/** How many of each are counted at a time; beyond that those that were not heard of for the longest time begin anew. */
const MOST_COUNTED = 50_000;
const ACCOUNT_FROM_EVERYWHERE = 5;
const WINDOW_SECONDS = 60;

export class Rates {
  readonly #users: Rate;
  readonly #addresses: Rate;
  readonly #signIns: { ofAddress: Rate; ofAccountFromAddress: Rate; ofAccount: Rate };

  constructor(config: GuardConfig) {
    this.#users = new Rate("user", "too many operations", config.NOTIFYX_OPERATIONS_PER_MINUTE_OF_USER);
    this.#addresses = new Rate(
      "address",
      "too many operations from this address",
      config.NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS,
    );
    const ofAccount = config.NOTIFYX_SIGN_INS_PER_MINUTE_OF_ACCOUNT;
    const why = "too many attempts to sign in";
    this.#signIns = {
      ofAddress: new Rate("sign_in", why, config.NOTIFYX_SIGN_INS_PER_MINUTE_OF_ADDRESS),
      ofAccountFromAddress: new Rate("sign_in", why, ofAccount),
      ofAccount: new Rate("sign_in", why, ofAccount * ACCOUNT_FROM_EVERYWHERE),
    };
  }

  /** @throws UserError `RATE_LIMITED`, as all of these */
  ofAddress(address: string, points: number): void {
    this.#addresses.take(address, points);
  }

  ofUser(userId: string, points: number): void {
    this.#users.take(userId, points);
  }

  /** `accounts` has an entry for each field; undefined where it names none. */
  async ofSignIns(address: string, accounts: readonly (string | undefined)[]): Promise<void> {
    await this.#signIns.ofAddress.takeAll(address, accounts.length);
    for (const [account, fields] of Map.groupBy(accounts, (one) => one)) {
      if (account === undefined) continue;
      await this.#signIns.ofAccountFromAddress.takeAll(`${address} ${account}`, fields.length);
      await this.#signIns.ofAccount.takeAll(account, fields.length);
    }
  }
}

interface Counted {
  /** In milliseconds since 1970. */
  refusedUntil: number;
}

/** So many points a minute for each key. */
class Rate {
  readonly #limiter: RateLimiterMemory;
  /** The limiter's keys, which it itself would keep without a bound until their minute is over. */
  readonly #counted: LRUCache<string, Counted>;

  constructor(private readonly kind: string, private readonly why: string, points: number) {
    this.#limiter = new RateLimiterMemory({ points, duration: WINDOW_SECONDS, keyPrefix: "" });
    this.#counted = new LRUCache({ max: MOST_COUNTED, dispose: (_, key) => void this.#limiter.delete(key) });
  }

  /** Without waiting for what the limiter says: it counts at once, and who is over their points by this is refused from the next on. */
  take(key: string, points: number): void {
    const counted = this.#of(key);
    if (counted.refusedUntil > 0) this.#check(counted);
    this.#limiter.consume(key, points).catch((over) => refuse(counted, over));
  }

  /** All of them or none is taken. */
  async takeAll(key: string, points: number): Promise<void> {
    const counted = this.#of(key);
    await this.#limiter.consume(key, points).catch((over) => refuse(counted, over));
    this.#check(counted);
  }

  #of(key: string): Counted {
    let counted = this.#counted.get(key);
    if (counted === undefined) this.#counted.set(key, counted = { refusedUntil: 0 });
    return counted;
  }

  #check({ refusedUntil }: Counted): void {
    const leftMs = refusedUntil - Date.now();
    if (leftMs <= 0) return;
    countRefused(this.kind);
    const retryAfterSeconds = Math.max(1, Math.ceil(leftMs / SECOND));
    throw new UserError("RATE_LIMITED", `${this.why}: try again in ${retryAfterSeconds} s`, { retryAfterSeconds });
  }
}

function refuse(counted: Counted, { msBeforeNext }: RateLimiterRes): void {
  counted.refusedUntil = Date.now() + msBeforeNext;
}
