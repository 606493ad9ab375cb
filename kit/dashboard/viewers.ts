/**
 * Who has a status page open: each gets server-sent events, encoded once for all. A viewer that doesn't read is cut off when what waits for
 * it is too much; the page comes back by itself and gets the whole hour anew.
 */

import { UserError } from "../errors.ts";

/** The most pages at once: they are for a few people. */
const VIEWER_LIMIT = 20;
/** How many bytes of events may wait for one viewer, besides its first one. */
const QUEUE_LIMIT_BYTES = 1024 * 1024;

interface Viewer {
  readonly controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  /** Ends its connection, where the stream's end alone would wait for what is written and not read. */
  readonly cutOff: () => void;
}

/** An event's name and its data, which is sent as JSON. */
export type ViewerEvent = readonly [event: string, data: unknown];

export class Viewers {
  readonly #open = new Set<Viewer>();
  #closed = false;

  get count(): number {
    return this.#open.size;
  }

  /** @throws UserError `SERVICE_UNAVAILABLE` when too many are open, and at the stop */
  check(): void {
    if (this.#closed) throw new UserError("SERVICE_UNAVAILABLE", "this process is stopping");
    if (this.#open.size >= VIEWER_LIMIT) {
      throw new UserError("SERVICE_UNAVAILABLE", "too many have this page open", { retryAfterSeconds: 10 });
    }
  }

  /** A stream that begins with `first`. @throws UserError as {@link check} does */
  open(first: readonly ViewerEvent[], cutOff: () => void = () => {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.check();
    const bytes = encode(first);
    let own: Viewer;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        own = { controller, cutOff };
        controller.enqueue(bytes);
        this.#open.add(own);
      },
      cancel: () => void this.#open.delete(own),
    }, new ByteLengthQueuingStrategy({ highWaterMark: bytes.byteLength + QUEUE_LIMIT_BYTES }));
  }

  send(...events: readonly ViewerEvent[]): void {
    if (this.#open.size === 0) return;
    const bytes = encode(events);
    for (const viewer of this.#open) {
      if ((viewer.controller.desiredSize ?? 0) >= bytes.byteLength) viewer.controller.enqueue(bytes);
      else this.#drop(viewer);
    }
  }

  /** Ends every stream, and refuses new ones. */
  close(): void {
    this.#closed = true;
    for (const viewer of this.#open) {
      // What isn't read by now would have to be waited for.
      if ((viewer.controller.desiredSize ?? 0) < QUEUE_LIMIT_BYTES) {
        this.#drop(viewer);
      } else {
        this.#open.delete(viewer);
        viewer.controller.close();
      }
    }
  }

  #drop(viewer: Viewer): void {
    this.#open.delete(viewer);
    viewer.controller.error(new Error("this viewer reads too slowly"));
    viewer.cutOff();
  }
}

const encoder = new TextEncoder();

function encode(events: readonly ViewerEvent[]): Uint8Array<ArrayBuffer> {
  return encoder.encode(events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join(""));
}
