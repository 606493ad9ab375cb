/** What is measured of a service's database: whether it answers, how long one waits for it, and what failed for what it is. */

import type { Counter } from "prom-client";
import { DATABASE_ERROR_KINDS, databaseErrorKind } from "./database_errors.ts";
import { counter, gauge, startAtZero } from "./metrics.ts";
import { delay, MINUTE, SECOND } from "./time.ts";

const EVERY_MS = 2 * SECOND;
const LIMIT_MS = 5 * SECOND;
/** A statement that has no answer then is on a connection that is lost, whatever the system believes; it is asked again. */
const LOST_AFTER_MS = MINUTE;

let errors: Counter<"kind"> | undefined;
/** Those that were counted: an error goes through several hands that would. */
const counted = new WeakSet<object>();

/** Counts what whoever catches an error doesn't throw on, if it is the database's; in a process that has none nothing is. */
export function countDatabaseError(error: unknown): void {
  const kind = errors && databaseErrorKind(error);
  if (kind === undefined || counted.has(error as object)) return;
  counted.add(error as object);
  errors!.inc({ kind });
}

export interface LookOptions {
  /** Between two looks, in milliseconds, default 2,000. */
  readonly everyMs?: number;
  /** A database that takes longer than this for nothing is away, in milliseconds, default 5,000. */
  readonly limitMs?: number;
}

/** Looks again and again whether the database answers; there is one in a process. */
export class DatabaseLook {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #isUp = false;
  #waitedMs = 0;
  /** By `performance.now()`; undefined while nothing is asked. */
  #askedAt: number | undefined;
  #leaveIt: () => void = () => {};

  /** `ask` takes a connection of the pool, has it do nothing, and gives it back. */
  constructor(private readonly ask: () => Promise<unknown>, private readonly options: LookOptions = {}) {
    errors = counter("notifyx_database_errors_total");
    startAtZero(errors, "kind", DATABASE_ERROR_KINDS);
    gauge("notifyx_database_up", () => this.#isUp ? 1 : 0);
    gauge("notifyx_database_wait_seconds", () => this.#waitMs / SECOND);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#leaveIt();
    await this.#running;
  }

  /** The last wait, or the present one where that is longer already. */
  get #waitMs(): number {
    return Math.max(this.#waitedMs, this.#askedAt === undefined ? 0 : performance.now() - this.#askedAt);
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await this.#look();
      await delay(this.options.everyMs ?? EVERY_MS, this.#abort.signal);
    }
  }

  /** One that waits is not joined by others soon: it is the pool that is full, or the server that is frozen. */
  async #look(): Promise<void> {
    const began = this.#askedAt = performance.now();
    const asking = this.ask().then(() => {
      this.#isUp = true;
    }, (error) => {
      this.#isUp = false;
      countDatabaseError(error);
    });
    const enough = Promise.withResolvers<void>();
    this.#leaveIt = enough.resolve;
    const late = setTimeout(() => this.#isUp = false, this.options.limitMs ?? LIMIT_MS);
    const lost = setTimeout(enough.resolve, LOST_AFTER_MS);
    await Promise.race([asking, enough.promise]);
    clearTimeout(late);
    clearTimeout(lost);
    this.#waitedMs = performance.now() - began;
    this.#askedAt = undefined;
  }
}
