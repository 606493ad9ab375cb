/**
 * A subscription at a subgraph, over server-sent events as npm `graphql-sse`'s distinct connections have them: an event `next` for each
 * result, then `complete`. In: the operation. Out: its results. A stream that just ends is an error: what came after it is missed, and
 * whoever subscribed has to know.
 */

import type { ExecutionResult } from "@graphql-tools/utils";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Instance } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { resultOf } from "../kit/graphql.ts";
import type { Logger } from "../kit/log.ts";
import { SECOND } from "../kit/time.ts";
import { readAnswer, reportedResult } from "./graph/answer.ts";

/** A stream that says nothing for so long, not even a comment, is dead, in milliseconds: servers say something each 12 s. */
const SILENCE_LIMIT_MS = 60 * SECOND;
/** The most characters of one event. */
const MOST_CHARACTERS = 1024 * 1024;

export interface SubgraphSubscription {
  readonly instance: Instance;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How long its first sign of life may take, in milliseconds. */
  readonly limitMs: number;
  readonly log: Logger;
}

/**
 * The results, or one result where it answers with that alone: what is wrong with the operation.
 * @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT`; so do the results, where the stream breaks off
 */
export async function subscribeAt(
  { instance, body, headers, limitMs, log }: SubgraphSubscription,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const { service, url } = instance;
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), limitMs);
  try {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers,
      body,
      signal: abort.signal,
      redirect: "manual",
    });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream") || response.body === null) {
      const answer = readAnswer(service, response.status, await response.text());
      clearTimeout(timer);
      return reportedResult(service, resultOf(answer), log);
    }
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE_LIMIT_MS);
    };
    heard();
    return closable(read(response.body, service, heard, abort.signal, log), abort, () => clearTimeout(timer));
  } catch (error) {
    clearTimeout(timer);
    if (error instanceof UserError) throw error;
    if (abort.signal.aborted) throw new UserError("TIMEOUT", "a service took too long to answer", {}, error);
    throw new UserError("SERVICE_UNAVAILABLE", `the service ${service} is away just now`, {}, error);
  }
}

async function* read(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  service: string,
  heard: () => void,
  signal: AbortSignal,
  log: Logger,
): AsyncGenerator<ExecutionResult> {
  try {
    const heardAll = new TransformStream<string, string>({
      transform(text, controller) {
        heard();
        controller.enqueue(text);
      },
    });
    // The signal once more: on Deno 2.9 that of a fetch has no effect any more once its Response was collected.
    const events = body.pipeThrough(new TextDecoderStream(), { signal }).pipeThrough(heardAll)
      .pipeThrough(new EventSourceParserStream({ maxBufferSize: MOST_CHARACTERS }));
    for await (const { event, data } of events) {
      if (event === "complete") return;
      if (event === "next") yield reportedResult(service, resultOf(readAnswer(service, 200, data)), log);
    }
  } catch (error) {
    throw brokenOff(service, error);
  }
  throw brokenOff(service);
}

/** A generator that waits can't be ended; its stream can. */
function closable(
  results: AsyncGenerator<ExecutionResult>,
  abort: AbortController,
  release: () => void,
): AsyncIterableIterator<ExecutionResult> {
  const done = { done: true, value: undefined } as const;
  let closed = false;
  const close = () => {
    closed = true;
    release();
    abort.abort();
    return Promise.resolve(done);
  };
  return {
    async next() {
      if (closed) return done;
      try {
        const result = await results.next();
        if (result.done) await close();
        return closed ? done : result;
      } catch (error) {
        if (closed) return done;
        await close();
        throw error;
      }
    },
    return: close,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function brokenOff(service: string, cause?: unknown): UserError {
  return new UserError("SERVICE_UNAVAILABLE", `the service ${service} has broken off: subscribe again`, {}, cause);
}
