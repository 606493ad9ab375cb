/**
 * Who wants to know when a session ends, and the one timer that tells of those that expire. In: watches, what is known of expiries, ends.
 * Out: each watch's `onEnded`, once. Sessions go by the hash of their token.
 */

import { reason } from "../kit/directory.ts";
import type { Logger } from "../kit/log.ts";
import { gauge } from "../kit/metrics.ts";
import { MINUTE } from "../kit/time.ts";

interface Watched {
  /** One for each watch, so that the same function may be given twice. */
  readonly watches: Set<{ readonly onEnded: () => void }>;
  /** When the session expires, in milliseconds since 1970; Infinity while that isn't known. */
  endsAt: number;
}

/** The pause between two looks at all that is watched, in milliseconds: 10,000 sessions that expire one by one cost ten looks a second. */
const LOOK_PAUSE_MS = 100;
/** No timer is set for longer than this, in milliseconds: they overflow after 24 days, and a clock may be set. */
const LONGEST_TIMER_MS = MINUTE;

const watches = gauge("notifyx_sessions_watches");

export class SessionWatches {
  readonly #watched = new Map<string, Watched>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer looks, at the latest. */
  #dueAt = Infinity;
  #size = 0;

  constructor(private readonly log: Logger, private readonly onExpired: (key: string) => void) {}

  has(key: string): boolean {
    return this.#watched.has(key);
  }

  /** The sessions that are watched. */
  keys(): IterableIterator<string> {
    return this.#watched.keys();
  }

  /** Calls `onEnded` when the session ends, but never before this has returned; the answer ends the watch. */
  add(key: string, onEnded: () => void): () => void {
    const watch = { onEnded };
    let watched = this.#watched.get(key);
    if (watched === undefined) this.#watched.set(key, watched = { watches: new Set(), endsAt: Infinity });
    watched.watches.add(watch);
    watches.set(++this.#size);
    return () => {
      if (!watched.watches.delete(watch)) return;
      watches.set(--this.#size);
      if (watched.watches.size === 0 && this.#watched.get(key) === watched) this.#watched.delete(key);
    };
  }

  /** The session expires at `endsAt`, in milliseconds since 1970. */
  expiresAt(key: string, endsAt: number): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    watched.endsAt = endsAt;
    if (endsAt < this.#dueAt) this.#lookAt(endsAt);
  }

  /** The session has ended: its watches are told, and are no more. Says whether there were any. */
  end(key: string): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined) return false;
    this.#watched.delete(key);
    for (const watch of watched.watches) {
      // One that was ended by another's onEnded isn't called.
      if (!watched.watches.delete(watch)) continue;
      watches.set(--this.#size);
      try {
        watch.onEnded();
      } catch (error) {
        this.log.error("the end of a session can't be applied: {error}", { error: reason(error) });
      }
    }
    return true;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #lookAt(dueAt: number, leastMs = 0): void {
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    const inMs = Math.min(LONGEST_TIMER_MS, Math.max(leastMs, dueAt - Date.now()));
    this.#timer = setTimeout(() => this.#look(), inMs);
  }

  #look(): void {
    const now = Date.now();
    let next = Infinity;
    const expired: string[] = [];
    for (const [key, { endsAt }] of this.#watched) {
      if (endsAt <= now) expired.push(key);
      else if (endsAt < next) next = endsAt;
    }
    this.#dueAt = Infinity;
    if (next < Infinity) this.#lookAt(next, LOOK_PAUSE_MS);
    for (const key of expired) this.onExpired(key);
  }
}
