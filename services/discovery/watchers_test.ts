import assert from "node:assert/strict";
import { readEvents } from "../../kit/directory.ts";
import type { Change } from "./registry.ts";
import { Watchers } from "./watchers.ts";

const EMPTY = { services: [] };

function gone(id: string): Change {
  return { event: "gone", data: { id, service: "counter" } };
}

Deno.test("watchers - a stream begins with the view, then brings each change in order", async () => {
  const watchers = new Watchers();
  const stream = watchers.open(EMPTY);
  watchers.send(gone("a"));
  watchers.send(gone("b"));
  watchers.close();
  const events = await Array.fromAsync(readEvents(stream));
  assert.deepEqual(events.map(({ event, data }) => [event, JSON.parse(data)]), [
    ["view", EMPTY],
    ["gone", { id: "a", service: "counter" }],
    ["gone", { id: "b", service: "counter" }],
  ]);
});

Deno.test("watchers - one that doesn't read is cut off, and the others go on", async () => {
  const watchers = new Watchers();
  const slow = watchers.open(EMPTY);
  const good = watchers.open(EMPTY).getReader();
  let received = 0;
  for (let at = 0; at < 40_000 && watchers.count === 2; at++) {
    watchers.send(gone(`${at}`));
    received += (await good.read()).value!.byteLength;
  }
  assert.equal(watchers.count, 1);
  assert.ok(received > 1_000_000 && received < 1_200_000, `${received} bytes`);
  await assert.rejects(Array.fromAsync(slow), /too slowly/);
  await good.cancel();
  assert.equal(watchers.count, 0);
});

Deno.test("watchers - refuses the 1,001st stream, until one ends", async () => {
  const watchers = new Watchers();
  const streams = Array.from({ length: 1_000 }, () => watchers.open(EMPTY));
  assert.throws(() => watchers.open(EMPTY), { code: "TOO_MANY_REQUESTS" });
  await streams[0]!.cancel();
  const another = watchers.open(EMPTY);
  assert.equal(watchers.count, 1_000);
  watchers.close();
  await another.cancel();
});

Deno.test("watchers - at the stop every stream ends and none is opened", async () => {
  const watchers = new Watchers();
  const stream = watchers.open(EMPTY);
  watchers.close();
  assert.equal((await Array.fromAsync(stream)).length, 1);
  assert.throws(() => watchers.open(EMPTY), { code: "SERVICE_UNAVAILABLE" });
});
