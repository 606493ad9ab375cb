/**
 * Subscriptions over server-sent events: npm `graphql-sse`'s distinct connections mode, one operation a request. In: results, as a sink.
 * Out: an event `next` for each, then `complete`; a comment now and then, so that both ends notice a dead connection. When the caller's
 * session ends, one last `next` says so.
 */

import type { GraphQLFormattedError } from "graphql";
import { SECOND } from "../../kit/time.ts";
import type { Running, Sink } from "./operation.ts";

/** Between two comments, in milliseconds. */
const KEEP_ALIVE_MS = 12 * SECOND;
/** How many bytes may wait for a client that doesn't read; its stream is cut off then, and it goes on behind its last cursor. */
const MOST_WAITING_BYTES = 1024 * 1024;

const encoder = new TextEncoder();
const NEXT = encoder.encode("event: next\ndata: ");
const END = encoder.encode("\n\n");

export interface EventStreamOptions {
  /** Starts the operation; what is wrong with it is told to the sink. */
  readonly start: (sink: Sink) => Promise<Running>;
  readonly stopping: AbortSignal;
  /** Calls `onEnded` when the caller's session ends, unless its answer was called before. */
  readonly watch?: (onEnded: (errors: readonly GraphQLFormattedError[]) => void) => () => void;
}

export function eventStream({ start, stopping, watch }: EventStreamOptions): Response {
  let running: Running | undefined;
  let isOpen = true;
  let room: PromiseWithResolvers<void> | undefined;
  let release = () => {};
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const write = (bytes: Uint8Array) => controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
      const comment = () => write(encoder.encode(":\n\n"));
      const close = () => {
        if (!isOpen) return;
        release();
        controller.close();
      };
      const sink: Sink = {
        next(payload) {
          if (!isOpen) return;
          const bytes = new Uint8Array(NEXT.length + payload.length + END.length);
          bytes.set(NEXT);
          bytes.set(payload, NEXT.length);
          bytes.set(END, NEXT.length + payload.length);
          write(bytes);
          if (waiting(controller) <= MOST_WAITING_BYTES) return;
          release();
          controller.error(new Error("slow"));
        },
        error(errors) {
          if (!isOpen) return;
          write(encoder.encode(`event: next\ndata: ${JSON.stringify({ errors })}\n\n`));
          this.complete();
        },
        complete() {
          if (!isOpen) return;
          // At the stop the stream just ends: a client that comes back goes on behind its last cursor.
          if (!stopping.aborted) write(encoder.encode("event: complete\ndata:\n\n"));
          close();
        },
        room: () =>
          isOpen && waiting(controller) > MOST_WAITING_BYTES / 2
            ? (room ??= Promise.withResolvers()).promise
            : undefined,
      };
      const timer = setInterval(comment, KEEP_ALIVE_MS);
      stopping.addEventListener("abort", close, { once: true });
      const unwatch = watch?.((errors) => sink.error(errors));
      release = () => {
        isOpen = false;
        clearInterval(timer);
        stopping.removeEventListener("abort", close);
        unwatch?.();
        running?.stop();
        room?.resolve();
      };
      comment();
      start(sink).then((started) => {
        if (isOpen) running = started;
        else started.stop();
      }, () => close());
    },
    pull(controller) {
      if (room === undefined || waiting(controller) > MOST_WAITING_BYTES / 2) return;
      room.resolve();
      room = undefined;
    },
    // The client hung up, as each does in the end.
    cancel() {
      if (isOpen) release();
    },
  }, { highWaterMark: MOST_WAITING_BYTES, size: (chunk) => chunk.byteLength });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    },
  });
}

function waiting(controller: ReadableStreamDefaultController): number {
  return MOST_WAITING_BYTES - (controller.desiredSize ?? 0);
}
