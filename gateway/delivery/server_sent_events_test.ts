/** The end of an event stream, seen from both sides. */

import assert from "node:assert/strict";
import type { GraphQLFormattedError } from "graphql";
import { delay } from "../../kit/time.ts";
import type { Running, Sink } from "./operation.ts";
import { Outboxes } from "./outbox.ts";
import { eventStream, type EventStreamOptions } from "./server_sent_events.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const never = new AbortController().signal;

/** A subscription whose results are given by hand. */
function subscription(options: Partial<EventStreamOptions> = {}) {
  let sink: Sink | undefined;
  let stops = 0;
  let cuts = 0;
  const running: Running = { stop: () => stops++ };
  const start = (given: Sink) => {
    sink = given;
    return Promise.resolve(running);
  };
  const outboxes = new Outboxes({ socketBytes: 1024 * 1024, totalBytes: 256 * 1024 * 1024 });
  const response = eventStream({ start, stopping: never, outboxes, cutOff: () => cuts++, ...options });
  return { response, sink: sink!, stops: () => stops, cuts: () => cuts };
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
  const { response, sink, stops, cuts } = subscription();
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
  assert.deepEqual([stops(), cuts()], [1, 1]);
});

Deno.test("server-sent events - an event has its cursor as its id, and the beginning has one too", async () => {
  const { response, sink } = subscription();
  sink.beginsAt("c0");
  sink.next(bytes("1"), "c1");
  sink.next(bytes("2"), null);
  sink.next(bytes("3"));
  sink.complete();
  assert.deepEqual((await response.text()).split("\n\n"), [
    ":",
    "id: c0",
    "event: next\nid: c1\ndata: 1",
    "event: next\ndata: 2",
    "event: next\ndata: 3",
    "event: complete\ndata:",
    "",
  ]);
});

Deno.test("server-sent events - when too much waits in all, the slowest is cut off, and gives its place back once", async () => {
  const outboxes = new Outboxes({ socketBytes: 1024 * 1024, totalBytes: 1024 * 1024 });
  const ended: string[] = [];
  const [ann, bob] = ["ann", "bob"].map((name) => subscription({ outboxes, onEnd: () => ended.push(name) }));
  for (const { sink } of [ann!, bob!]) {
    sink.next(bytes("x".repeat(300 * 1024)));
    sink.next(bytes("x".repeat(100 * 1024)));
  }
  ann!.sink.next(bytes("x".repeat(400 * 1024)));
  assert.deepEqual([ended, ann!.cuts(), bob!.cuts()], [["ann"], 1, 0]);
  bob!.sink.complete();
  const text = await bob!.response.text();
  assert.equal(text.replaceAll(/[^x]/g, "").length, 400 * 1024 + "next".length / 4 * 2);
  assert.deepEqual([ended, outboxes.waitingBytes], [["ann", "bob"], 0]);
});

Deno.test("server-sent events - one who reads nothing after the end is cut off", async () => {
  const outboxes = new Outboxes({ socketBytes: 1024 * 1024, totalBytes: 1024 * 1024 });
  const { sink, cuts } = subscription({ outboxes, closeLimitMs: 20 });
  sink.next(bytes("x".repeat(300 * 1024)));
  sink.next(bytes("x".repeat(300 * 1024)));
  sink.complete();
  assert.ok(outboxes.waitingBytes > 600 * 1024);
  const giveUpAt = Date.now() + 5_000;
  while (outboxes.waitingBytes > 0 && Date.now() < giveUpAt) await delay(5);
  assert.deepEqual([outboxes.waitingBytes, cuts()], [0, 1]);
});
