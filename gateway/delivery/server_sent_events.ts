/**
 * Subscriptions over server-sent events: npm `graphql-sse`'s distinct connections mode, one operation a request. In: an executed operation.
 * Out: an event `next` for each result, then `complete`; a comment now and then, so that both ends notice a dead connection. When the
 * caller's session ends, one last `next` says so.
 */

import type { ExecutionResult } from "graphql";
import { SECOND } from "../../kit/time.ts";
import { endedSession } from "../sessions.ts";

/** Between two comments, in milliseconds. */
const KEEP_ALIVE_MS = 12 * SECOND;

/** `watch` calls what it is given when the caller's session ends, unless its answer was called before. */
export function eventStream(
  results: AsyncIterable<ExecutionResult> | ExecutionResult,
  format: (result: ExecutionResult) => ExecutionResult,
  stopping: AbortSignal,
  watch: (onEnded: () => void) => () => void = () => () => {},
): Response {
  const iterator = isIterable(results) ? results[Symbol.asyncIterator]() : one(results);
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval>;
  let end = () => {};
  let isOpen = true;
  const failed = (error: unknown) =>
    `event: next\ndata: ${JSON.stringify(format({ errors: [error as never] }))}\n\nevent: complete\ndata:\n\n`;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const comment = () => controller.enqueue(encoder.encode(":\n\n"));
      const unwatch = watch(() => {
        isOpen = false;
        controller.enqueue(encoder.encode(failed(endedSession())));
        end();
        controller.close();
      });
      comment();
      timer = setInterval(comment, KEEP_ALIVE_MS);
      // At the stop the stream just ends: a client that comes back goes on behind its last cursor.
      const endOnce = () => {
        end = () => {};
        clearInterval(timer);
        unwatch();
        stopping.removeEventListener("abort", endOnce);
        void iterator.return?.();
      };
      end = endOnce;
      stopping.addEventListener("abort", endOnce, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (!isOpen) return;
        if (!done) return controller.enqueue(encoder.encode(`event: next\ndata: ${JSON.stringify(format(value))}\n\n`));
        if (!stopping.aborted) controller.enqueue(encoder.encode("event: complete\ndata:\n\n"));
      } catch (error) {
        if (!isOpen) return;
        controller.enqueue(encoder.encode(failed(error)));
      }
      end();
      controller.close();
    },
    // The client hung up, as each does in the end.
    cancel() {
      isOpen = false;
      end();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    },
  });
}

function isIterable(
  results: AsyncIterable<ExecutionResult> | ExecutionResult,
): results is AsyncIterable<ExecutionResult> {
  return Symbol.asyncIterator in results;
}

async function* one(result: ExecutionResult): AsyncGenerator<ExecutionResult> {
  yield await Promise.resolve(result);
}
