/** What a gateway remembers of the feed, and for how long. */

import assert from "node:assert/strict";
import type { FeedEvent, NotificationEvent } from "./feed_event.ts";
import { Window } from "./window.ts";

const notification = (position: number, more: Partial<NotificationEvent> = {}): NotificationEvent => ({
  position,
  kind: "notification",
  topicId: "topic",
  id: `n${position}`,
  fromUserId: "ann",
  message: "hello",
  createdAt: "now",
  cursor: "",
  to: null,
  recipientCount: 1,
  ...more,
});
const seen = (position: number, notificationId: string): FeedEvent => ({
  position,
  kind: "seen",
  topicId: "topic",
  userId: "bob",
  notificationId,
  at: "now",
  cursor: "",
});

function positions(events: readonly FeedEvent[] | undefined): number[] | undefined {
  return events?.map(({ position }) => position);
}

Deno.test("window - events behind a position, as long as none of them is gone", () => {
  const window = new Window(3);
  window.reset(10);
  assert.deepEqual(window.after(10, 5), []);
  assert.equal(window.after(9, 5), undefined);
  for (let position = 11; position <= 20; position++) {
    window.push(notification(position));
    assert.equal(window.position, position);
    const first = Math.max(11, position - 2);
    for (let after = 8; after < first - 1; after++) assert.equal(window.after(after, 5), undefined);
    const there = Array.from({ length: position - first + 1 }, (_, nth) => first + nth);
    assert.deepEqual(positions(window.after(first - 1, 5)), there);
    assert.deepEqual(positions(window.after(first - 1, 1)), there.slice(0, 1));
    assert.deepEqual(positions(window.after(position - 1, Infinity)), [position]);
  }
  window.reset(3);
  assert.deepEqual([window.position, window.after(3, 1), window.after(2, 1)], [3, [], undefined]);
});

Deno.test("window - it holds no more than so many characters, of messages and of recipients' ids", () => {
  const window = new Window(1_000, 1_000);
  window.reset(0);
  for (let position = 1; position <= 20; position++) window.push(notification(position, { message: "x".repeat(100) }));
  assert.equal(window.after(10, 50)?.length, 10);
  assert.equal(window.after(9, 50), undefined);
  window.push(notification(21, { to: Array.from({ length: 20 }, () => crypto.randomUUID()) }));
  assert.deepEqual(positions(window.after(18, 50)), [19, 20, 21]);
  assert.equal(window.after(17, 50), undefined);
  // One that is larger than all leaves nothing but the position.
  window.push(notification(22, { message: "x".repeat(1_001) }));
  assert.deepEqual([window.position, window.after(22, 1), window.after(21, 1)], [22, [], undefined]);
});

Deno.test("window - what a user did is known as long as its events are, as are retractions and what is pruned", () => {
  const window = new Window(4);
  window.reset(0);
  const [first, second, third] = [notification(1), notification(2), notification(3)];
  for (const event of [first, second, third]) window.push(event);
  const isSeen = () => [first, second, third].map((event) => window.isSeen("bob", event));
  assert.deepEqual(isSeen(), [false, false, false]);
  window.push(seen(4, "n3"));
  assert.deepEqual(isSeen(), [false, false, true]);
  assert.equal(window.isSeen("eve", third), false);
  window.push({ ...seen(5, ""), kind: "seenAll", upTo: "", upToPosition: 2 } as FeedEvent);
  assert.deepEqual(isSeen(), [true, true, true]);
  assert.equal(window.isSeen("bob", notification(2, { topicId: "other" })), false);
  window.push({ position: 6, kind: "retract", topicId: "topic", id: "n2", notificationPosition: 2 });
  window.push({ position: 7, kind: "prune", topicId: "topic", upToPosition: 1 });
  const topics = new Set(["topic"]);
  assert.deepEqual([window.isRetracted("n2"), window.isPruned(topics, 0), window.isPruned(topics, 1)], [
    true,
    true,
    false,
  ]);
  assert.equal(window.isPruned(new Set(["other"]), 0), false);
  assert.deepEqual(positions(window.byUser("bob")), [4, 5]);

  window.push({ position: 8, kind: "prune", topicId: "topic", upToPosition: 2 });
  window.push({ position: 9, kind: "join", topicId: "topic", userId: "bob" });
  assert.deepEqual(positions(window.byUser("bob")), [9]);
  window.push(notification(10));
  // The first prune is gone, the second stands for it.
  window.push(notification(11));
  assert.deepEqual([window.isRetracted("n2"), window.isPruned(topics, 1)], [false, true]);
  window.push(notification(12));
  assert.equal(window.isPruned(topics, 0), false);
  window.push(notification(13));
  assert.deepEqual(window.byUser("bob"), []);
});
