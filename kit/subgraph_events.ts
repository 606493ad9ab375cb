/**
 * Subscriptions of a service, over server-sent events as npm `graphql-sse`'s distinct connections have them: an event `next` for each
 * result, then `complete`. In: a checked operation. Out: its events, as fast as whoever subscribes reads them, and a comment now and then,
 * so that both ends notice a dead connection. At the service's stop a stream just ends: it is not complete, so one subscribes again.
 */

import { type ExecutionArgs, type ExecutionResult, subscribe } from "graphql";
import { UserError } from "./errors.ts";
import { maskError } from "./graphql.ts";
import { graphqlErrorCode } from "./graphql_errors.ts";
import { measuredOperation } from "./graphql_operations.ts";
import type { Logger } from "./log.ts";
import { SECOND } from "./time.ts";

/** Between two comments, in milliseconds; the gateway takes a stream that is silent for 60 s for dead. */
const KEEP_ALIVE_MS = 12 * SECOND;
/** How many streams a process has at once. */
const MOST_STREAMS = 10_000;

const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
const encoder = new TextEncoder();
const COMMENT = encoder.encode(":\n\n");
const COMPLETE = encoder.encode("event: complete\ndata:\n\n");

export class SubgraphEvents {
  #open = 0;

  constructor(private readonly stopping: AbortSignal, private readonly log: Logger) {}

  /** The events, or one answer where the operation is refused. @throws UserError `TOO_MANY_REQUESTS` */
  async serve(args: ExecutionArgs): Promise<Response> {
    if (this.#open >= MOST_STREAMS) {
      throw new UserError("TOO_MANY_REQUESTS", "too many subscriptions at once", { retryAfterSeconds: 1 });
    }
    this.#open++;
    const operation = measuredOperation(args.document, args.operationName);
    const began = performance.now();
    const results = await subscribe(args).catch((error) => {
      this.#open--;
      throw error;
    });
    operation?.took(began);
    if (Symbol.asyncIterator in results) return new Response(this.#stream(results), { headers: HEADERS });
    this.#open--;
    if (results.errors?.length) operation?.failed(graphqlErrorCode(results.errors[0]!));
    return new Response(this.#text(results), { headers: { "content-type": "application/json; charset=utf-8" } });
  }

  /** Asked for each event when the one before is read, so that a slow reader holds no memory here. */
  #stream(results: AsyncGenerator<ExecutionResult>): ReadableStream<Uint8Array> {
    let coming: Promise<IteratorResult<ExecutionResult>> | undefined;
    const ended = new AbortController();
    const end = () => {
      if (ended.signal.aborted) return;
      ended.abort();
      this.#open--;
      void results.return?.(undefined);
    };
    return new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(COMMENT),
      pull: async (controller) => {
        coming ??= Promise.resolve(results.next());
        try {
          const result = await orSooner(coming, KEEP_ALIVE_MS, AbortSignal.any([this.stopping, ended.signal]));
          if (ended.signal.aborted) return;
          if (result === "silence") return controller.enqueue(COMMENT);
          coming = undefined;
          if (result === "stop" || result.done) {
            if (result !== "stop") controller.enqueue(COMPLETE);
            end();
            return controller.close();
          }
          controller.enqueue(encoder.encode(`event: next\ndata: ${this.#text(result.value)}\n\n`));
        } catch (error) {
          this.log.error("a subscription failed: {error}", { error });
          end();
          controller.close();
        }
      },
      cancel: end,
    });
  }

  #text({ errors, ...result }: ExecutionResult): string {
    return JSON.stringify(
      errors === undefined ? result : { ...result, errors: errors.map((error) => maskError(error, this.log)) },
    );
  }
}

/** What comes, or that nothing has for `ms` milliseconds, or that it is to stop. */
function orSooner<T>(coming: Promise<T>, ms: number, signal: AbortSignal): Promise<T | "silence" | "stop"> {
  const { promise, resolve } = Promise.withResolvers<"silence" | "stop">();
  const timer = setTimeout(() => resolve("silence"), ms);
  const stop = () => resolve("stop");
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return Promise.race([coming, promise]).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  });
}
