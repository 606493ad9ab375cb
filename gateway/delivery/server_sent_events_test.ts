/** The end of an event stream, seen from both sides. */

import assert from "node:assert/strict";
import type { GraphQLFormattedError } from "graphql";
import { delay } from "../../kit/time.ts";
import type { Running, Sink } from "./operation.ts";
import { eventStream, type EventStreamOptions } from "./server_sent_events.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const never = new AbortController().signal;

/** A subscription whose results are given by hand. */
function subscription(options: Partial<EventStreamOptions> = {}) {
  let sink: Sink | undefined;
  let stops = 0;
  const running: Running = { stop: () => stops++ };
  const start = (given: Sink) => {
    sink = given;
    return Promise.resolve(running);
  };
  const response = eventStream({ start, stopping: never, ...options });
  return { response, sink: sink!, stops: () => stops };
}

Deno.test("server-sent events - a client that hangs up ends the subscription, and nothing is written any more", async () => {
  const { response, sink, stops } = subscription();
  sink.next(bytes('{"data":{"nth":1}}'));
  const reader = response.body!.getReader();
  const read = async () => new TextDecoder().decode((await reader.read()).value);
  assert.equal(await read(), ":\n\n");
  assert.equal(await read(), 'event: next\ndata: {"data":{"nth":1}}\n\n');
  await reader.cancel();
  assert.equal(stops(), 1);
  sink.next(bytes("{}"));
  sink.complete();
});

Deno.test("server-sent events - a subscription that starts when its client is gone is stopped", async () => {
  const started = Promise.withResolvers<Running>();
  const { response } = subscription({ start: () => started.promise });
  await response.body!.cancel();
  const stopped = new Promise<void>((resolve) => started.resolve({ stop: resolve }));
  await stopped;
});

Deno.test("server-sent events - at the stop the stream just ends, for a client to come back", async () => {
  const stopping = new AbortController();
  const { response, stops } = subscription({ stopping: stopping.signal });
  const text = response.text();
  stopping.abort();
  assert.equal(await text, ":\n\n");
  assert.equal(stops(), 1);
});

Deno.test("server-sent events - when the caller's session ends they say so, and end", async () => {
  let onEnded: (errors: readonly GraphQLFormattedError[]) => void = () => {};
  let unwatched = 0;
  const { response, stops } = subscription({
    watch: (given) => {
      onEnded = given;
      return () => unwatched++;
    },
  });
  onEnded([{ message: "ended", extensions: { code: "UNAUTHENTICATED" } }]);
  const [, next, complete] = (await response.text()).split("\n\n");
  assert.equal(next, 'event: next\ndata: {"errors":[{"message":"ended","extensions":{"code":"UNAUTHENTICATED"}}]}');
  assert.equal(complete, "event: complete\ndata:");
  assert.deepEqual([unwatched, stops()], [1, 1]);
});

Deno.test("server-sent events - one who doesn't read is waited for, and cut off where too much waits", async () => {
  const { response, sink, stops } = subscription();
  const large = bytes("x".repeat(300 * 1024));
  sink.next(large);
  assert.equal(sink.room(), undefined);
  sink.next(large);
  const room = sink.room();
  assert.ok(room instanceof Promise);
  const reader = response.body!.getReader();
  for (let nth = 0; nth < 3; nth++) await reader.read();
  await room;
  assert.equal(stops(), 0);
  for (let nth = 0; nth < 4; nth++) sink.next(large);
  assert.equal(stops(), 1);
  await assert.rejects(async () => {
    for (let nth = 0; nth < 10; nth++) await reader.read();
  }, /slow/);
  await delay(0);
});
