/**
 * Mails that somebody watches. In: NOTIFY, from whichever node changed one. Out: the mail as it is now, then after each change, up to its
 * end. Who reads slowly gets the newest state, and not every one before.
 */

import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND } from "../../kit/time.ts";
import { CHANGED, type Email, type Emails } from "./emails.ts";

/** How often all that are watched are read though nobody told, in milliseconds: a NOTIFY may be lost with its connection. */
const LOOK_EVERY_MS = 5 * SECOND;
/** How many are read by one statement. */
const BATCH = 500;

export class LiveEmails {
  readonly #watched = new Map<string, Set<Watcher>>();
  readonly #changed = new Set<string>();
  #reading: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #unlisten = () => Promise.resolve();

  constructor(private readonly emails: Emails, private readonly log: Logger) {}

  async start(): Promise<void> {
    // Also when the connection is there again after it was lost.
    const onListening = () => this.#look(this.#watched.keys());
    const { unlisten } = await this.emails.sql.listen(CHANGED, (ids) => this.#look(ids.split(",")), onListening);
    this.#unlisten = unlisten;
    this.#timer = setInterval(onListening, LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const watchers of this.#watched.values()) for (const watcher of watchers) await watcher.return();
    await this.#reading;
    await this.#unlisten();
  }

  watch(id: string): AsyncIterableIterator<Email> {
    const watchers = this.#watched.getOrInsertComputed(id, () => new Set());
    const watcher = new Watcher(() => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watched.get(id) === watchers) this.#watched.delete(id);
    });
    watchers.add(watcher);
    // From here on no change is missed, so this is where the present state is read.
    this.#look([id]);
    return watcher;
  }

  #look(ids: Iterable<string>): void {
    for (const id of ids) if (this.#watched.has(id)) this.#changed.add(id);
    if (this.#changed.size > 0) this.#reading ??= this.#read().finally(() => this.#reading = undefined);
  }

  async #read(): Promise<void> {
    while (this.#changed.size > 0) {
      const ids = [...this.#changed].slice(0, BATCH);
      for (const id of ids) this.#changed.delete(id);
      try {
        const found = new Map((await this.emails.findAll(ids)).map((email) => [email.id, email]));
        for (const id of ids) for (const watcher of this.#watched.get(id) ?? []) watcher.push(found.get(id));
      } catch (error) {
        // The next look will find the same.
        countDatabaseError(error);
        this.log.warning("mails that are watched can't be read: {error}", { error: reason(error) });
      }
    }
  }
}

/** One subscription: it holds at most one state that is not read yet. */
class Watcher implements AsyncIterableIterator<Email> {
  #next: Email | undefined;
  #told: string | undefined;
  #ended = false;
  #wake = () => {};

  constructor(private readonly onEnd: () => void) {}

  /** undefined: it is no more. */
  push(email: Email | undefined): void {
    if (email === undefined) return void this.return();
    const state = JSON.stringify([email.status, email.attempts, email.error]);
    if (state === this.#told) return;
    this.#told = state;
    this.#next = email;
    this.#wake();
  }

  async next(): Promise<IteratorResult<Email, undefined>> {
    while (this.#next === undefined && !this.#ended) await new Promise<void>((resolve) => this.#wake = resolve);
    const value = this.#next;
    if (value === undefined) return { done: true, value };
    this.#next = undefined;
    if (value.status === "SENT" || value.status === "FAILED") await this.return();
    return { done: false, value };
  }

  return(): Promise<IteratorResult<Email, undefined>> {
    if (!this.#ended) this.onEnd();
    this.#ended = true;
    this.#wake();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Email> {
    return this;
  }
}
