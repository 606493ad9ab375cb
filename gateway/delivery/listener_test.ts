/** One subscription's way through the feed, fed by hand: the seams between replay and live, falling behind, and the end. */

import assert from "node:assert/strict";
import { UserError } from "../../kit/errors.ts";
import type { FeedEvent } from "./feed_event.ts";
import { Listener, type ListenOptions } from "./listener.ts";
import type { ReplayPage, ReplayRequest, Replays } from "./replay.ts";

/** How many events a listener keeps. */
const LIMIT = 1_000;
const TOPIC = "topic";

function event(
  position: number,
  { topicId = TOPIC, to = null as string[] | null } = {},
): FeedEvent & { kind: "notification" } {
  const id = `n${position}`;
  const message = { id, topicId, fromUserId: "ann", message: id, createdAt: "", cursor: String(position) };
  return { kind: "notification", position, to, recipientCount: 1, ...message };
}

function membership(kind: "join" | "leave", position: number, topicId = TOPIC, userId = "bob"): FeedEvent {
  return { kind, position, topicId, userId };
}

/** A feed whose replay answers from `events`, up to the newest; each question is kept. */
class FakeReplays {
  readonly asked: ReplayRequest[] = [];
  readonly events: (FeedEvent & { kind: "notification" })[] = [];
  pageSize = 500;
  topicIds = [TOPIC];
  position: number | undefined;

  page(request: ReplayRequest): Promise<ReplayPage> {
    this.asked.push(request);
    const position = request.upTo ?? this.position ?? this.events.at(-1)?.position ?? 0;
    const missed = request.after === null ? [] : this.events
      .filter((one) => one.position > Number(request.after) && one.position <= position)
      .slice(0, this.pageSize)
      .map(({ position: _, kind: __, to: ___, ...one }) => ({ ...one, seen: false }));
    const more = missed.length === this.pageSize;
    return Promise.resolve({ position, cursor: String(position), topicIds: this.topicIds, missed, more });
  }
}

async function listen(replays: FakeReplays, options: Partial<ListenOptions> = {}) {
  const listener = new Listener(
    { userId: "bob", topicId: null, after: null, ...options },
    replays as unknown as Replays,
  );
  const deliveries = listener.deliveries(await listener.begin());
  const take = async (count: number) => {
    const ids: string[] = [];
    while (ids.length < count) ids.push((await deliveries.next()).value!.id);
    return ids;
  };
  return { listener, deliveries, take };
}

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `n${from + at}`);

Deno.test("listener - what arrives during a replay of several pages comes once, behind it", async () => {
  const replays = new FakeReplays();
  replays.pageSize = 2;
  for (let position = 1; position <= 7; position++) replays.events.push(event(position));
  const { listener, take } = await listen(replays, { after: "2" });
  // The feed is a little behind the replay's snapshot, then goes on.
  for (let position = 6; position <= 9; position++) listener.push(event(position));
  assert.deepEqual(await take(3), ids(3, 5));
  listener.push(event(10));
  assert.deepEqual(await take(5), ids(6, 10));
  assert.deepEqual(replays.asked.map(({ after, upTo }) => [after, upTo]), [["2", null], ["4", 7], ["6", 7]]);
});

Deno.test("listener - live, it follows its viewer's own joins and leaves, and takes what names them", async () => {
  const replays = new FakeReplays();
  replays.topicIds = [];
  const { listener, take } = await listen(replays);
  const first = take(3);
  listener.push(event(1));
  listener.push(membership("join", 2, TOPIC, "eve"));
  listener.push(event(3));
  listener.push(membership("join", 4));
  listener.push(event(5));
  listener.push(event(6, { to: ["eve"] }));
  listener.push(event(7, { to: ["eve", "bob"] }));
  listener.push(event(8, { topicId: "other" }));
  listener.push(membership("leave", 9));
  listener.push(event(10));
  listener.push(membership("join", 11));
  listener.push(event(12));
  assert.deepEqual(await first, ["n5", "n7", "n12"]);
});

for (const when of ["live", "replaying"] as const) {
  Deno.test(`listener - more than it keeps while ${when}: it falls behind, replays, and goes on without gap or repeat`, async () => {
    const replays = new FakeReplays();
    const last = 2 * LIMIT + 500;
    const { listener, take } = await listen(replays, { after: "0" });
    const begun = when === "live" ? take(1) : undefined;
    if (begun !== undefined) {
      // It waits for the first one, so it is live.
      await new Promise((resolve) => setTimeout(resolve));
    }
    for (let position = 1; position <= last; position++) {
      replays.events.push(event(position));
      listener.push(event(position));
    }
    const before = await begun ?? [];
    const caughtUp = await take(last - before.length);
    listener.push(event(last + 1));
    assert.deepEqual([...before, ...caughtUp, ...await take(1)], ids(1, last + 1));
    assert.ok(replays.asked.length > 1);
  });
}

Deno.test("listener - a replay in the middle waits for a service that is away, and gives up for any other reason", async () => {
  const replays = new FakeReplays();
  replays.pageSize = 1;
  replays.events.push(event(1), event(2));
  const { take, deliveries } = await listen(replays, { after: "0" });
  assert.deepEqual(await take(1), ["n1"]);
  const { page } = FakeReplays.prototype;
  let failures = 0;
  replays.page = (request) => {
    if (failures++ > 1) return page.call(replays, request);
    return Promise.reject(new UserError(failures === 1 ? "SERVICE_UNAVAILABLE" : "TIMEOUT", "away"));
  };
  assert.deepEqual(await take(1), ["n2"]);
  replays.page = () => Promise.reject(new UserError("CURSOR_EXPIRED", "gone"));
  await assert.rejects(deliveries.next(), { code: "CURSOR_EXPIRED" });
});

Deno.test("listener - end() ends who waits, at once, with what is wrong or without", async () => {
  for (const fault of [undefined, new UserError("CURSOR_EXPIRED", "another feed")]) {
    const { listener, deliveries } = await listen(new FakeReplays());
    const next = deliveries.next();
    listener.end(fault);
    if (fault === undefined) assert.deepEqual(await next, { done: true, value: undefined });
    else await assert.rejects(next, fault);
    assert.equal((await deliveries.next()).done, true);
  }
});
