/**
 * Who follows the watch stream (`GET /api/watch`): each gets the event `view` first, then every change as `up` or `gone`, and a
 * comment now and then, by which a reader tells a quiet stream from a dead one. The reader is kit/directory.ts.
 *
 * An event is encoded once for all. A watcher that doesn't read is cut off when its queue is full: it comes back and gets a new view.
 */

import { UserError } from "../../kit/errors.ts";
import { SECOND } from "../../kit/time.ts";
import type { Change, View } from "./registry.ts";

/** The most streams at once; each process of the cluster holds one at each discovery node. */
const WATCHER_LIMIT = 1_000;
/** How many bytes of events may wait for one watcher, besides its view; it is cut off beyond. */
const QUEUE_LIMIT_BYTES = 1024 * 1024;
/** Between two comments, in milliseconds. */
const COMMENT_MS = 3 * SECOND;

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

export class Watchers {
  readonly #open = new Set<Controller>();
  #comments: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  get count(): number {
    return this.#open.size;
  }

  /** A stream that begins with `view`. @throws UserError `TOO_MANY_REQUESTS` when too many are open, `SERVICE_UNAVAILABLE` at the stop */
  open(view: View): ReadableStream<Uint8Array<ArrayBuffer>> {
    if (this.#closed) throw new UserError("SERVICE_UNAVAILABLE", "discovery is stopping");
    if (this.#open.size >= WATCHER_LIMIT) {
      throw new UserError("TOO_MANY_REQUESTS", "too many watch streams are open", { retryAfterSeconds: 10 });
    }
    const first = encode("view", view);
    let own: Controller;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        own = controller;
        controller.enqueue(first);
        this.#open.add(controller);
        this.#comments ??= setInterval(() => this.#send(COMMENT), COMMENT_MS);
      },
      cancel: () => this.#forget(own),
    }, new ByteLengthQueuingStrategy({ highWaterMark: first.byteLength + QUEUE_LIMIT_BYTES }));
  }

  send({ event, data }: Change): void {
    if (this.#open.size > 0) this.#send(encode(event, data));
  }

  /** Ends every stream, and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const controller of this.#open) {
      this.#forget(controller);
      controller.close();
    }
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    for (const controller of this.#open) {
      if ((controller.desiredSize ?? 0) >= bytes.byteLength) {
        controller.enqueue(bytes);
      } else {
        this.#forget(controller);
        controller.error(new Error("this watcher reads too slowly"));
      }
    }
  }

  #forget(controller: Controller): void {
    this.#open.delete(controller);
    if (this.#open.size > 0) return;
    clearInterval(this.#comments);
    this.#comments = undefined;
  }
}

const encoder = new TextEncoder();
const COMMENT = encoder.encode(": still here\n\n");

function encode(event: string, data: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
