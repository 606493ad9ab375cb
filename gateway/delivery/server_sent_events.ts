/**
 * Subscriptions over server-sent events: npm `graphql-sse`'s distinct connections mode, one operation a request. In: an executed operation.
 * Out: an event `next` for each result, then `complete`; a comment now and then, so that both ends notice a dead connection.
 */

import type { ExecutionResult } from "graphql";
import { SECOND } from "../../kit/time.ts";

/** Between two comments, in milliseconds. */
const KEEP_ALIVE_MS = 12 * SECOND;

export function eventStream(
  results: AsyncIterable<ExecutionResult> | ExecutionResult,
  format: (result: ExecutionResult) => ExecutionResult,
  stopping: AbortSignal,
): Response {
  const iterator = isIterable(results) ? results[Symbol.asyncIterator]() : one(results);
  const encoder = new TextEncoder();
  let timer: ReturnType<typeof setInterval>;
  let end = () => {};
  let isRead = true;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const comment = () => controller.enqueue(encoder.encode(":\n\n"));
      comment();
      timer = setInterval(comment, KEEP_ALIVE_MS);
      // At the stop the stream just ends: a client that comes back goes on behind its last cursor.
      end = () => {
        end = () => {};
        clearInterval(timer);
        stopping.removeEventListener("abort", end);
        void iterator.return?.();
      };
      stopping.addEventListener("abort", end, { once: true });
    },
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (!isRead) return;
        if (!done) return controller.enqueue(encoder.encode(`event: next\ndata: ${JSON.stringify(format(value))}\n\n`));
        if (!stopping.aborted) controller.enqueue(encoder.encode("event: complete\ndata:\n\n"));
      } catch (error) {
        if (!isRead) return;
        const failed = JSON.stringify(format({ errors: [error as never] }));
        controller.enqueue(encoder.encode(`event: next\ndata: ${failed}\n\nevent: complete\ndata:\n\n`));
      }
      end();
      controller.close();
    },
    // The client hung up, as each does in the end.
    cancel() {
      isRead = false;
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
