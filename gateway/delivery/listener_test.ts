/** A subscription's way through the feed, over a feed that the test writes: what is replayed, what is live, and the seams between. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import fc from "fast-check";
import { delay } from "../../kit/time.ts";
import { Group } from "./group.ts";
import { Hub } from "./hub.ts";
import { CREATOR, FeedService, until } from "./testing/feed_service.ts";
import { positions, Reader } from "./testing/reader.ts";
import { Window } from "./window.ts";

const TOPICS = ["one", "two", "three"];

class Scene implements AsyncDisposable {
  readonly service = new FeedService();
  readonly hub: Hub;
  readonly readers: Reader[] = [];

  constructor(window?: Window) {
    this.hub = new Hub(this.service.balancer, "secret", getLogger("test"), { window });
  }

  static async start(window?: Window): Promise<Scene> {
    const scene = new Scene(window);
    scene.service.write({ kind: "join", topicId: "one", userId: "bob" });
    scene.hub.start();
    await scene.reached();
    return scene;
  }

  reached(): Promise<void> {
    return until("the hub has all", () => this.hub.position === this.service.position);
  }

  read(...options: ConstructorParameters<typeof Reader> extends [Hub, ...infer Rest] ? Rest : never): Reader {
    const reader = new Reader(this.hub, ...options);
    this.readers.push(reader);
    return reader;
  }

  /** Bob behind a position. */
  resume(after: number, topicId: string | null = null): Reader {
    return this.read({ topicId, after: this.service.cursor(after) });
  }

  async live(reader: Reader): Promise<void> {
    const isIndexed = () =>
      [...this.hub.index(reader.listener.source).of("one").keys()].includes(reader.listener.group);
    await until("it is live", isIndexed);
  }

  assertNothingIsLeft(): void {
    assert.equal(this.hub.size, 0);
    for (const { listener } of this.readers) {
      for (const topicId of TOPICS) assert.equal(this.hub.index(listener.source).of(topicId).size, 0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hub.stop();
    await this.service[Symbol.asyncDispose]();
    this.assertNothingIsLeft();
  }
}

type Step =
  | { kind: "notify"; topic: number; to: string[] | null }
  | { kind: "join" | "leave"; topic: number; user: string }
  | { kind: "resume"; user: string; topic: number | null; back: number | null; slowly: boolean }
  | { kind: "stop"; reader: number }
  | { kind: "hold" | "release"; what: "stream" | "memberships" | "replay" }
  | { kind: "break off" | "skip"; back: number }
  | { kind: "wait"; ms: number };

const user = fc.constantFrom("bob", "eve");
const topic = fc.nat({ max: TOPICS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("notify" as const),
      topic,
      to: fc.option(fc.uniqueArray(user, { minLength: 1 }), { freq: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("join" as const, "leave" as const), topic, user }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("resume" as const),
      user,
      topic: fc.option(topic),
      back: fc.option(fc.nat({ max: 12 }), { freq: 6 }),
      slowly: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("stop" as const), reader: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("hold" as const, "release" as const),
      what: fc.constantFrom("stream" as const, "memberships" as const, "replay" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("break off" as const, "skip" as const),
      back: fc.nat({ max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 5 }) }) },
);

/** Every other event takes a moment. */
const slow = (root: unknown) => {
  const payload = positions(root) as Uint8Array;
  return payload.at(-1)! % 2 === 0 ? payload : delay(payload.at(-1)! % 5).then(() => payload);
};

Deno.test("listener - any order of sends, joins, leaves, resumes and late answers: each has its own once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60 }),
      fc.constantFrom(4, 12, 1_000),
      async (steps, size) => {
        await using scene = await Scene.start(new Window(size));
        const { service } = scene;
        const group = new Group(positions, () => {});
        const slowGroup = new Group(slow, () => {});
        const began: {
          reader: Reader;
          userId: string;
          topicId: string | null;
          after: number | null;
          stopped: boolean;
        }[] = [];
        for (const one of steps) {
          if (one.kind === "notify") service.notify(TOPICS[one.topic]!, one.to);
          else if (one.kind === "join" || one.kind === "leave") {
            const isMember = service.topicsOf(one.user, TOPICS[one.topic]!).length > 0;
            if (isMember === (one.kind === "leave")) {
              service.write({ kind: one.kind, topicId: TOPICS[one.topic]!, userId: one.user });
            }
          } else if (one.kind === "resume") {
            const after = one.back === null ? null : Math.max(0, service.position - one.back);
            const topicId = one.topic === null ? null : TOPICS[one.topic]!;
            const cursor = after === null ? null : service.cursor(after);
            const reader = scene.read({ userId: one.user, topicId, after: cursor }, one.slowly ? slowGroup : group);
            began.push({ reader, userId: one.user, topicId, after, stopped: false });
          } else if (one.kind === "stop" && began.length > 0) {
            const stopped = began[one.reader % began.length]!;
            stopped.stopped = true;
            stopped.reader.listener.stop();
          } else if (one.kind === "break off") service.breakOff();
          else if (one.kind === "skip") service.breakOff(Math.max(0, service.position - one.back));
          else if (one.kind === "wait") await delay(one.ms);
          else if (one.kind === "hold") one.what === "stream" ? service.holdStream() : service.hold(one.what);
          else if (one.kind === "release") one.what === "stream" ? service.releaseStream() : service.release(one.what);
        }
        service.releaseStream();
        for (const route of ["memberships", "replay"] as const) service.release(route);
        service.notify("one");
        await scene.reached();
        for (const { reader, userId, topicId, after, stopped } of began) {
          assert.equal(reader.end, undefined);
          const expected = service.received(userId, topicId, after ?? 0);
          if (!stopped && after !== null) {
            await until("it has all", () => reader.received.length >= expected.length).catch(() => {});
            assert.deepEqual(reader.received, expected);
          } else if (stopped && after !== null) {
            assert.deepEqual(reader.received, expected.slice(0, reader.received.length));
          } else {
            // Begun now: from some moment on all.
            const { received } = reader;
            const from = expected.indexOf(received[0]!);
            if (received.length > 0) assert.deepEqual(received, expected.slice(from, from + received.length));
          }
        }
        for (const { reader } of began) reader.listener.stop();
        scene.assertNothingIsLeft();
      },
    ),
    { numRuns: Number(Deno.env.get("NOTIFYX_TEST_RUNS") ?? 25), seed: seed(), endOnFailure: true },
  );
});

/** From NOTIFYX_TEST_SEED, else another each time; fast-check says which it was. */
function seed(): number | undefined {
  const given = Deno.env.get("NOTIFYX_TEST_SEED");
  return given === undefined ? undefined : Number(given);
}

Deno.test("listener - what is within the window is replayed from it, going back over joins and leaves", async () => {
  await using scene = await Scene.start();
  const { service } = scene;
  service.notify("two");
  service.write({ kind: "join", topicId: "two", userId: "bob" });
  service.notify("two", ["bob", "eve"]);
  service.notify("two", ["eve"]);
  service.write({ kind: "leave", topicId: "two", userId: "bob" });
  service.notify("two");
  service.notify("one");
  await scene.reached();
  const all = scene.resume(1);
  const two = scene.resume(1, "two");
  const later = scene.resume(4);
  await scene.live(all);
  service.notify("one");
  await until("all came", () => all.received.length === 3 && later.received.length === 2);
  assert.deepEqual([all.received, two.received, later.received], [[4, 8, 9], [4], [8, 9]]);
  assert.equal(service.asked.replay, 0);
});

Deno.test("listener - a reader that is overrun by the window goes on from the database, with nothing lost or twice", async () => {
  await using scene = await Scene.start(new Window(10));
  const { service } = scene;
  for (let nth = 0; nth < 8; nth++) service.notify("one");
  await scene.reached();
  const reader = scene.resume(1);
  reader.block();
  await until("it began", () => reader.received.length > 0);
  for (let nth = 0; nth < 30; nth++) service.notify("one");
  await scene.reached();
  await delay(10);
  // No more than one is given to a reader that has no room.
  assert.deepEqual(reader.received, [2]);
  reader.unblock();
  await scene.live(reader);
  service.notify("one");
  await until("all came", () => reader.received.length >= 39);
  assert.deepEqual(reader.received, service.received("bob", null, 1));
  assert.ok(service.asked.replay >= 30 / service.pageSize);
});

Deno.test("listener - pages of the database wait for room as well", async () => {
  await using scene = await Scene.start(new Window(1));
  const { service } = scene;
  for (let nth = 0; nth < 5; nth++) service.notify("one");
  await scene.reached();
  const reader = scene.resume(1);
  reader.block();
  await until("it began", () => reader.received.length > 0);
  await delay(10);
  assert.deepEqual(reader.received, [2]);
  reader.unblock();
  await until("all came", () => reader.received.length === 5);
});

Deno.test("listener - the service is away: at the start that is told, in the middle it is waited for", async () => {
  await using scene = await Scene.start(new Window(3));
  const { service } = scene;
  for (let nth = 0; nth < 6; nth++) service.notify("one");
  await scene.reached();
  service.away.add("replay");
  const refused = scene.resume(1);
  await until("it is told", () => refused.end !== undefined);
  assert.equal(refused.end, "SERVICE_UNAVAILABLE");

  service.away.delete("replay");
  const reader = scene.resume(1);
  reader.block();
  await until("it began", () => reader.received.length > 0);
  service.away.add("replay");
  reader.unblock();
  const asked = service.asked.replay;
  await until("it asks in vain", () => service.asked.replay > asked + 1);
  service.away.delete("replay");
  await until("all came", () => reader.received.length === 6);
  assert.deepEqual(reader.received, [2, 3, 4, 5, 6, 7]);
});

Deno.test("listener - where events are skipped it asks the database what they were, behind what still waits for its execution", async () => {
  await using scene = await Scene.start();
  const { service } = scene;
  const gate = Promise.withResolvers<void>();
  // The first of its events takes long, the others nothing.
  const waiting = new Group((root) => {
    const payload = positions(root) as Uint8Array;
    return payload.toString() === "2" ? gate.promise.then(() => payload) : payload;
  }, () => {});
  const [reader, other] = [scene.read({}), scene.read({}, waiting)];
  await scene.live(reader);
  await scene.live(other);
  service.notify("one");
  await until("the first came", () => reader.received.length === 1);

  service.holdStream();
  service.write({ kind: "join", topicId: "two", userId: "bob" });
  for (const topicId of ["two", "one", "one"]) service.notify(topicId);
  service.releaseStreamBrokenOff(5);
  await scene.reached();
  await until("all came", () => reader.received.length === 4);
  assert.deepEqual(other.received, []);
  gate.resolve();
  await until("all came to the other", () => other.received.length === 4);
  // It knows of the join that was among these.
  await scene.live(reader);
  service.notify("two");
  await until("one more", () => reader.received.length === 5 && other.received.length === 5);
  assert.deepEqual([reader.received, other.received], [[2, 4, 5, 6, 7], [2, 4, 5, 6, 7]]);
});

Deno.test("listener - where something of its own is lost, or the feed is another, it is told CURSOR_EXPIRED", async () => {
  await using scene = await Scene.start();
  const { service } = scene;
  const reader = scene.read({});
  await scene.live(reader);
  service.holdStream();
  for (let nth = 0; nth < 3; nth++) service.notify("one");
  service.lost = 3;
  service.releaseStreamBrokenOff(3);
  await until("it is told", () => reader.end !== undefined);
  assert.equal(reader.end, "CURSOR_EXPIRED");

  const next = scene.read({});
  await scene.live(next);
  service.replace(2);
  service.breakOff();
  await until("it is told", () => next.end !== undefined);
  assert.equal(next.end, "CURSOR_EXPIRED");
  assert.equal(scene.hub.position, 2);
});

Deno.test("listener - while the service knows of another feed and the hub doesn't, nobody begins", async () => {
  await using scene = await Scene.start();
  const { service } = scene;
  for (let nth = 0; nth < 5; nth++) service.notify("one");
  await scene.reached();
  service.replace(2);
  const reader = scene.read({});
  await until("it is told", () => reader.end !== undefined);
  assert.deepEqual([reader.end, reader.received], ["SERVICE_UNAVAILABLE", []]);
});

Deno.test("listener - a cursor that nobody can have been given yet is BAD_USER_INPUT", async () => {
  await using scene = await Scene.start();
  for (const after of [scene.service.cursor(2), "x"]) {
    const reader = scene.read({ after });
    await until("it is told", () => reader.end !== undefined);
    assert.equal(reader.end, "BAD_USER_INPUT");
  }
});

Deno.test("listener - a deleted topic completes its subscriptions: live, while they catch up, and behind skipped events", async () => {
  await using scene = await Scene.start();
  const { service } = scene;
  service.notify("one");
  await scene.reached();
  const [live, catching] = [scene.read({ topicId: "one" }), scene.resume(1, "one")];
  const [all, creators] = [scene.read({}), scene.read({ userId: CREATOR, topicId: "one" }, undefined, "acknowledged")];
  catching.block();
  for (const reader of [live, all, creators]) await scene.live(reader);
  service.write({ kind: "delete", topicId: "one" });
  await until("they are complete", () => [live, catching, creators].every(({ end }) => end === "complete"));
  assert.equal(all.end, undefined);
  catching.unblock();
  const late = scene.read({ topicId: "one" });
  await until("it is told", () => late.end !== undefined);
  assert.equal(late.end, "NOT_FOUND");

  service.write({ kind: "join", topicId: "two", userId: "bob" });
  const two = scene.read({ topicId: "two" });
  await until("it is live", () => scene.hub.index(two.listener.source).of("two").size === 2);
  service.holdStream();
  service.write({ kind: "delete", topicId: "two" });
  service.releaseStreamBrokenOff(service.position);
  await until("it is complete", () => two.end !== undefined);
  assert.equal(two.end, "complete");
});

Deno.test("listener - retracted ones aren't replayed; behind what is pruned the database is asked", async () => {
  await using scene = await Scene.start();
  const { service } = scene;
  for (let nth = 0; nth < 3; nth++) service.notify("one");
  service.write({ kind: "retract", topicId: "one", id: "n3", notificationPosition: 3 });
  await scene.reached();
  const first = scene.resume(1);
  await until("all came", () => first.received.length === 2);
  assert.deepEqual([first.received, service.asked.replay], [[2, 4], 0]);

  service.write({ kind: "prune", topicId: "one", upToPosition: 2 });
  service.lost = 2;
  await scene.reached();
  const [before, behind] = [scene.resume(1), scene.resume(2)];
  await until("they are told", () => before.end !== undefined && behind.received.length === 1);
  assert.deepEqual([before.end, behind.end, service.asked.replay], ["CURSOR_EXPIRED", undefined, 1]);
});

Deno.test("listener - acknowledgements go to the topic's creator alone, live and from window and database", async () => {
  await using scene = await Scene.start(new Window(6));
  const { service } = scene;
  const seen = (userId: string) =>
    service.write({ kind: "seen", topicId: "one", userId, notificationId: "n2", at: "now" });
  service.notify("one");
  for (const userId of ["bob", "eve", "bob", "eve"]) seen(userId);
  service.write({
    kind: "seenAll",
    topicId: "one",
    userId: "bob",
    upTo: service.cursor(2),
    upToPosition: 2,
    at: "now",
  });
  await scene.reached();
  const follow = (after: number | null) => {
    const cursor = after === null ? null : service.cursor(after);
    return scene.read({ userId: CREATOR, topicId: "one", after: cursor }, undefined, "acknowledged");
  };
  const readers = [follow(0), follow(3), follow(null)];
  const bob = scene.read({ topicId: "one" }, undefined, "acknowledged");
  await until("he is told", () => bob.end !== undefined);
  assert.equal(bob.end, "FORBIDDEN");
  for (const reader of readers) await scene.live(reader);
  seen("eve");
  await until("all came", () => readers.every(({ received }) => received.at(-1) === 8));
  assert.deepEqual(readers.map(({ received }) => received), [[3, 4, 5, 6, 7, 8], [4, 5, 6, 7, 8], [8]]);
});
