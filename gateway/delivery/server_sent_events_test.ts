/** The end of an event stream, seen from both sides. */

import assert from "node:assert/strict";
import type { ExecutionResult } from "graphql";
import { delay } from "../../kit/time.ts";
import { eventStream } from "./server_sent_events.ts";

/** A subscription's results: what it is given, then nothing until it is ended. */
function results(...given: ExecutionResult[]) {
  const ended = Promise.withResolvers<IteratorReturnResult<undefined>>();
  const iterator: AsyncIterableIterator<ExecutionResult, undefined> = {
    next: () => given.length > 0 ? Promise.resolve({ done: false, value: given.shift()! }) : ended.promise,
    return() {
      ended.resolve({ done: true, value: undefined });
      return ended.promise;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return { iterator, ended: ended.promise };
}

Deno.test("server-sent events - a client that hangs up ends the subscription, and nothing has failed", async () => {
  const formatted: ExecutionResult[] = [];
  const { iterator, ended } = results({ data: { nth: 1 } });
  const format = (result: ExecutionResult) => {
    formatted.push(result);
    return result;
  };
  const reader = eventStream(iterator, format, new AbortController().signal).body!.getReader();
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  assert.equal(await read(), ":\n\n");
  assert.equal(await read(), 'event: next\ndata: {"data":{"nth":1}}\n\n');
  const waiting = reader.read();
  await delay(0); // The stream asks for the next result.
  await reader.cancel();
  await Promise.all([waiting, ended]);
  await delay(0);
  assert.deepEqual(formatted, [{ data: { nth: 1 } }]);
});

Deno.test("server-sent events - at the stop the stream just ends, for a client to come back", async () => {
  const stopping = new AbortController();
  const { iterator, ended } = results();
  const text = eventStream(iterator, (result) => result, stopping.signal).text();
  stopping.abort();
  await ended;
  assert.equal(await text, ":\n\n");
});

Deno.test("server-sent events - the end of the session is the last event, though the subscription waits", async () => {
  const { iterator, ended } = results({ data: { nth: 1 } });
  let endSession = () => {};
  let unwatched = 0;
  const watch = (onEnded: () => void) => {
    endSession = onEnded;
    return () => void unwatched++;
  };
  const text = eventStream(iterator, (result) => result, new AbortController().signal, watch).text();
  await delay(0); // The first is delivered, and the stream asks for the next.
  endSession();
  await ended;
  const [, first, last, complete, ...more] = (await text).split("\n\n");
  assert.match(first!, /"nth":1/);
  assert.match(last!, /^event: next\ndata: \{"errors":\[.*"code":"UNAUTHENTICATED"/);
  assert.deepEqual([complete, more], ["event: complete\ndata:", [""]]);
  assert.equal(unwatched, 1);
});
