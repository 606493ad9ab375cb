/**
 * Listeners whose results are the same bytes: those of one document with the same variables, if it asks for nothing personal. In: events,
 * in order. Out: each executed and serialised once, to all who listen, in that order.
 */

import { LRUCache } from "lru-cache";
import { UserError } from "../../kit/errors.ts";
import { givenOut } from "./delivery_times.ts";
import type { Execution, Payload } from "./execution.ts";
import type { Listener } from "./listener.ts";
import type { Acknowledged, Delivered } from "./roots.ts";

/** How many events of a group may wait for their execution, and how many of these are executed at once. */
const MOST_WAITING = 10_000;
const AT_ONCE = 64;
/** What is kept for listeners that catch up, over all groups, in bytes. */
const KEPT_BYTES = 64 * 1024 * 1024;

const kept = new LRUCache<string, Uint8Array>({ maxSize: KEPT_BYTES, sizeCalculation: (bytes) => bytes.length + 200 });
let lastGroup = 0;

interface Waiting {
  readonly root: Delivered | Acknowledged;
  readonly listeners: readonly Listener[];
  payload: Payload | undefined;
  /** Who waits for this one to be given out. */
  given?: PromiseWithResolvers<void>;
}

export class Group {
  readonly #id = ++lastGroup;
  #waiting: Waiting[] = [];
  #executing = 0;
  #size = 0;

  constructor(
    private readonly execution: Execution,
    /** Called when its last listener has left. */
    private readonly onEmpty: () => void,
  ) {}

  enter(): void {
    this.#size++;
  }

  leave(): void {
    if (--this.#size === 0) this.onEmpty();
  }

  /** Gives the event with this root to `listeners`, behind all that was given before. */
  deliver(root: Delivered | Acknowledged, listeners: Iterable<Listener>): void {
    if (this.#waiting.length === 0) {
      const payload = this.execution(root);
      if (payload instanceof Uint8Array) {
        for (const listener of listeners) listener.sink.next(payload, root.cursor);
        this.#gave(root);
        return;
      }
      this.#executing++;
      this.#waiting.push({ root, listeners: [...listeners], payload });
      void this.#giveOut();
    } else if (this.#waiting.length >= MOST_WAITING) {
      const full = new UserError("SERVICE_UNAVAILABLE", "events of this subscription take too long; subscribe again");
      for (const listener of listeners) listener.fail(full);
    } else {
      this.#waiting.push({ root, listeners: [...listeners], payload: undefined });
      this.#executeMore();
    }
  }

  /** The event's bytes, kept for others that catch up; `key` names it and whatever else makes its root what it is. */
  payload(key: string, root: unknown): Payload {
    const name = `${this.#id} ${key}`;
    const known = kept.get(name);
    if (known !== undefined) return known;
    const payload = this.execution(root);
    if (payload instanceof Uint8Array) kept.set(name, payload);
    return payload;
  }

  /** Resolves when all that waits now has been given out; undefined where nothing waits. */
  settled(): Promise<void> | undefined {
    const last = this.#waiting.at(-1);
    return last && (last.given ??= Promise.withResolvers()).promise;
  }

  async #giveOut(): Promise<void> {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const payload = await first.payload!;
      this.#executing--;
      for (const listener of first.listeners) if (!listener.stopped) listener.sink.next(payload, first.root.cursor);
      this.#gave(first.root);
      this.#waiting.shift();
      first.given?.resolve();
      this.#executeMore();
    }
  }

  #gave({ createdAt, traceId }: Partial<Delivered>): void {
    if (createdAt !== undefined) givenOut(createdAt, traceId);
  }

  #executeMore(): void {
    for (const one of this.#waiting) {
      if (this.#executing >= AT_ONCE) return;
      if (one.payload !== undefined) continue;
      one.payload = this.execution(one.root);
      this.#executing++;
    }
  }
}
