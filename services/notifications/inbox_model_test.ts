/** Inboxes and counts over a real PostgreSQL, beside a naive model: any order of sends, joins, leaves, acknowledgements, retractions and pruning. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { type FeedEvent, readFeed } from "./feed_events.ts";
import { Inbox } from "./inbox.ts";
import { lostPosition } from "./lost.ts";
import { migrations } from "./migrations/mod.ts";
import { receipts } from "./receipts.ts";
import { Retention } from "./retention.ts";
import { Model, type Sent } from "./testing/model.ts";

const RUNS = Number(Deno.env.get("NOTIFYX_TEST_RUNS") ?? 15);
const USERS = 3;
const TOPICS = 2;

/** What stands for a user, topic or notification is a number, taken modulo how many there are. */
type Step =
  | { kind: "send"; topic: number; to: number[]; waits: boolean }
  | { kind: "join" | "leave"; topic: number; user: number }
  | { kind: "acknowledge"; user: number; which: number[]; strict: boolean }
  | { kind: "acknowledgeAll"; user: number; topic: number | null; upTo: number | null }
  | { kind: "retract"; which: number }
  | { kind: "prune"; topic: number; count: number }
  | { kind: "delete"; topic: number };

const small = fc.nat({ max: 50 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      topic: small,
      to: fc.oneof(
        { weight: 3, arbitrary: fc.constant<number[]>([]) },
        { weight: 1, arbitrary: fc.array(small, { minLength: 1, maxLength: 3 }) },
      ),
      waits: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("join" as const, "leave" as const), topic: small, user: small }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("acknowledge" as const),
      user: small,
      which: fc.array(small, { minLength: 1, maxLength: 6 }),
      strict: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("acknowledgeAll" as const),
      user: small,
      topic: fc.option(small),
      upTo: fc.option(small),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("retract" as const), which: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("prune" as const), topic: small, count: fc.nat({ max: 6 }) }) },
);
const steps = fc.array(step, { minLength: 10, maxLength: 60, size: "max" });

/** Retracted before anything was seen, at both ends of what one acknowledgement then covers, and in its middle. */
const RETRACTED_AT_THE_EDGES: Step[] = [
  { kind: "join", topic: 0, user: 0 },
  ...Array.from({ length: 5 }, () => ({ kind: "send" as const, topic: 0, to: [], waits: false })),
  ...[0, 2, 4].map((which) => ({ kind: "retract" as const, which })),
  { kind: "acknowledgeAll", user: 0, topic: null, upTo: null },
];

/** One run: users and topics of its own, in a database that all runs share. */
class Run {
  readonly users = Array.from({ length: USERS }, newId);
  readonly topics = Array.from({ length: TOPICS }, newId);
  readonly creator = newId();
  readonly model = new Model();
  readonly inbox: Inbox;
  position = 0;

  constructor(readonly sql: Sql) {
    this.inbox = new Inbox(sql);
  }

  async begin(): Promise<void> {
    for (const id of this.topics) {
      await this.sql`insert into topics (id, name, created_by) values (${id}, ${id}, ${this.creator})`;
    }
    await this.sql`select number_pending()`;
    const [head] = await this.sql<{ position: number }[]>`select position from feed_head`;
    this.position = head!.position;
  }

  /** Takes the step; the model follows by the feed's events, which are given. */
  async take(step: Step): Promise<FeedEvent[]> {
    const { sql, model, inbox } = this;
    switch (step.kind) {
      case "send": {
        const topicId = this.topic(step.topic);
        const members = [...model.members(topicId)];
        const to = members.length === 0 ? [] : [...new Set(step.to.map((nth) => members[nth % members.length]!))];
        await sql`select prepare_notification(${newId()}, ${topicId}, ${this.creator}, 'hello', ${to}::uuid[])`;
        if (!step.waits) await sql`select number_pending()`;
        break;
      }
      case "join":
        await sql`select join_topic(${this.topic(step.topic)}, ${this.user(step.user)})`;
        break;
      case "leave":
        await sql`select leave_topic(${this.topic(step.topic)}, ${this.user(step.user)})`;
        break;
      case "acknowledge":
        await this.#acknowledge(step);
        break;
      case "acknowledgeAll": {
        const userId = this.user(step.user);
        const topicId = step.topic === null ? null : this.topic(step.topic);
        const upTo = step.upTo === null ? null : this.#sent(step.upTo)?.position ?? 0;
        const fresh = model.inbox(userId, topicId, false).filter((one) => upTo === null || one.position <= upTo);
        assert.equal(await inbox.acknowledgeAll(userId, topicId, upTo), fresh.length);
        break;
      }
      case "retract": {
        const one = this.#sent(step.which);
        if (one === undefined) break;
        const gone = one.removed || model.deleted.has(one.topicId);
        const other = this.user(step.which);
        const knows = model.inbox(other, null, null).includes(one);
        assert.equal(await codeOf(inbox.retract(other, one.id)), knows ? "FORBIDDEN" : "NOT_FOUND");
        assert.equal(await codeOf(inbox.retract(this.creator, one.id)), gone ? "NOT_FOUND" : undefined);
        break;
      }
      case "prune": {
        const topicId = this.topic(step.topic);
        const old = model.sent.filter((one) => one.topicId === topicId && !one.removed).slice(0, step.count);
        await sql`update notifications set created_at = now() - interval '31 days' where id = any(${
          old.map(({ id }) => id)
        }::uuid[])`;
        assert.ok(await new Retention(sql, getLogger("test")).prune());
        const left = await sql`select from notifications where id = any(${old.map(({ id }) => id)}::uuid[])`;
        assert.equal(left.length, 0);
        break;
      }
      case "delete":
        await sql`update topics set deleted_at = now() where id = ${this.topic(step.topic)}`;
        await sql`select announce('delete', ${this.topic(step.topic)}), number_pending()`;
    }
    return await this.follow();
  }

  /** What is new in the feed, applied to the model. */
  async follow(): Promise<FeedEvent[]> {
    const all = await readFeed(this.sql, "epoch", this.position, 10_000);
    this.position = all.at(-1)?.position ?? this.position;
    const events = all.filter(({ topicId }) => this.topics.includes(topicId));
    for (const event of events) this.model.apply(event);
    return events;
  }

  async #acknowledge({ user, which, strict }: Step & { kind: "acknowledge" }): Promise<void> {
    const userId = this.user(user);
    const mine = this.model.inbox(userId, null, null);
    const wanted = which.map((nth) => strict ? this.#sent(nth) : mine[nth % Math.max(1, mine.length)])
      .filter((one) => one !== undefined);
    const known = wanted.every((one) => mine.includes(one));
    const ids = wanted.map(({ id }) => id);
    if (!known) return assert.equal(await codeOf(this.inbox.acknowledge(userId, ids)), "NOT_FOUND");
    const fresh = new Set(wanted.filter((one) => !one.seenBy.has(userId)));
    const [before] = await this.sql<{ position: number }[]>`select position from feed_head`;
    const acknowledged = await this.inbox.acknowledge(userId, ids);
    assert.deepEqual(acknowledged.map(({ id, seen }) => [id, seen]), [...new Set(ids)].map((id) => [id, true]));
    const [after] = await this.sql<{ position: number }[]>`select position from feed_head`;
    assert.equal(after!.position - before!.position, fresh.size);
  }

  /** Every count, of every user and notification. */
  async compareCounts(): Promise<void> {
    const { sql, model } = this;
    for (const topicId of [null, ...this.topics]) {
      const rows = await sql<{ user_id: string; count: number }[]>`
        select user_id, unseen_count(user_id, ${topicId}) as count from unnest(${this.users}::uuid[]) as user_id`;
      const expected = this.users.map((id) => [id, model.inbox(id, topicId, false).length]);
      assert.deepEqual(rows.map((row) => [row.user_id, row.count]), expected, "unseenCount");
    }
    const touching = await sql`select from (
      select last, lead(first) over (partition by user_id, topic_id order by first) as next from seen_ranges) ranges where next <= last + 1`;
    assert.equal(touching.length, 0, "ranges that touch");
    const live = model.live(null);
    const seen = await this.inbox.seenCounts(live.map(({ id }) => id));
    assert.deepEqual([...seen].sort(), live.map((one) => [one.id, one.seenBy.size] as const).sort(), "seenCount");
    const who = await receipts(sql, live.map(({ id }) => id), null, 100);
    for (const { id, seenBy } of live) {
      const found = who.get(id)!;
      assert.deepEqual(found.map(({ userId }) => userId), [...seenBy].sort(), "seenBy");
      // All of it is of this minute, and kept.
      for (const { at } of found) assert.ok(at !== null && Date.now() - at.getTime() < 60_000, "when it was seen");
      const behind = (await receipts(sql, [id], found[0]?.userId ?? null, 1)).get(id)!;
      assert.deepEqual(behind, found.length > 1 ? found.slice(1, 2) : [], "a page of seenBy");
    }
    for (const one of live) assert.equal(one.recipientCount, one.receivers.size, "recipientCount");
  }

  /** Every page of a user's inbox in a topic or all, by status, in pages of `size`. */
  async comparePages(userId: string, topicId: string | null, seen: boolean | null, size: number): Promise<void> {
    const filter = { topicId, fromUserId: size % 2 === 0 ? this.creator : null, seen };
    const expected = this.model.inbox(userId, topicId, seen).map((one) => [one.id, one.seenBy.has(userId)]);
    const found: unknown[] = [];
    for (let before: number | null = null;;) {
      const page = await this.inbox.page(userId, filter, before, size);
      found.push(...page.map((one) => [one.id, one.seen]));
      if (page.length < size) break;
      before = page.at(-1)!.position;
    }
    assert.deepEqual(found, expected, `inbox by status ${seen} in pages of ${size}`);
  }

  /** What a resume behind `after` brings, and the sender's own list. */
  async compareRest(userId: string, topicId: string | null, after: number): Promise<void> {
    const missed = await this.inbox.missed(userId, topicId, after, this.position, 1_000);
    const expected = this.model.inbox(userId, topicId, null).filter((one) => one.position > after).reverse();
    assert.deepEqual(missed.map((one) => [one.id, one.seen]), expected.map((one) => [one.id, one.seenBy.has(userId)]));
    const sent = await this.inbox.sent(this.creator, topicId, null, 1_000);
    assert.deepEqual(sent.map(({ id }) => id), this.model.live(topicId).map(({ id }) => id));
    const ids = this.model.sent.map(({ id }) => id);
    const received = await this.inbox.received(userId, ids);
    assert.deepEqual(
      received.map(({ id }) => id).sort(),
      this.model.inbox(userId, null, null).map(({ id }) => id).sort(),
    );
  }

  /** What is told to be gone behind `after`. */
  async compareLost(userId: string, topicId: string | null, after: number): Promise<void> {
    const told = await lostPosition(this.sql, userId, topicId, after);
    // The end of a stay may be told in place of what was received last in it.
    if (!this.model.leaves(userId).includes(told)) assert.equal(told, this.model.lost(userId, topicId, after), "lost");
    else assert.ok(told >= this.model.lost(userId, topicId, after));
  }

  async compareAll(size: number): Promise<void> {
    await this.compareCounts();
    for (const userId of this.users) {
      for (const topicId of [null, ...this.topics]) {
        for (const seen of [null, false, true]) await this.comparePages(userId, topicId, seen, size);
        await this.compareRest(userId, topicId, 0);
        for (const { position } of this.model.sent.slice(0, 10)) {
          await this.compareLost(userId, topicId, position);
          await this.compareLost(userId, topicId, position - 1);
        }
      }
    }
  }

  user(nth: number): string {
    return this.users[nth % USERS]!;
  }

  topic(nth: number): string {
    return this.topics[nth % TOPICS]!;
  }

  #sent(nth: number): Sent | undefined {
    return this.model.sent[nth % Math.max(1, this.model.sent.length)];
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
}

Deno.test("inbox model - after each step of any order, counts, pages, filters and resumes are those of a naive list", async () => {
  await withDatabase(migrations, async (sql) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat({ max: 4 }), async (taken, salt) => {
        const run = new Run(sql);
        await run.begin();
        for (const [nth, step] of taken.entries()) {
          await run.take(step);
          await run.compareCounts();
          const topicId = [null, ...run.topics][nth % (TOPICS + 1)]!;
          await run.comparePages(run.user(nth), topicId, [null, false, true][(nth + salt) % 3]!, 1 + (nth + salt) % 5);
          await run.compareRest(run.user(nth + 1), topicId, run.model.sent[nth % 7]?.position ?? 0);
          await run.compareLost(run.user(nth), topicId, run.model.sent[nth % 5]?.position ?? 0);
        }
        await run.compareAll(2 + salt);
        await run.take({ kind: "delete", topic: salt });
        await run.compareAll(2 + salt);
      }),
      { numRuns: RUNS, examples: [[RETRACTED_AT_THE_EDGES, 0]], endOnFailure: RUNS <= 15 },
    );
  });
});

Deno.test("inbox model - all of it at once: counts and pages are what the feed's events add up to", async () => {
  await withDatabase(migrations, async (sql) => {
    const run = new Run(sql);
    await run.begin();
    for (const [nth, userId] of run.users.entries()) await sql`select join_topic(${run.topic(nth)}, ${userId})`;
    let stop = false;
    const numbering = (async () => {
      while (!stop) {
        await sql`select number_pending()`;
        await run.follow();
      }
    })();
    const retention = new Retention(sql, getLogger("test"));
    const random = (below: number) => Math.floor(Math.random() * below);
    const ids: string[] = [];
    await Promise.all(Array.from({ length: 6 }, async () => {
      for (let nth = 0; nth < 60; nth++) {
        const [userId, topicId] = [run.user(random(USERS)), run.topic(random(TOPICS))];
        const id = ids[random(ids.length)];
        const kind = random(10);
        if (kind < 4) {
          const fresh = newId();
          const [member] = await sql<{ user_id: string }[]>`
            select user_id from subscriptions where topic_id = ${topicId} and "left" is null limit 1`;
          const to = kind === 0 && member !== undefined ? [member.user_id] : [];
          const refused = await codeOf(
            sql`select prepare_notification(${fresh}, ${topicId}, ${run.creator}, 'hello', ${to}::uuid[])`
              .catch((error) => Promise.reject(error.code === "NX400" ? new UserError("BAD_USER_INPUT", "") : error)),
          );
          if (refused === undefined) ids.push(fresh);
        } else if (kind === 4) await sql`select join_topic(${topicId}, ${userId})`;
        else if (kind === 5) await sql`select leave_topic(${topicId}, ${userId})`;
        else if (kind < 8 && id !== undefined) await codeOf(run.inbox.acknowledge(userId, [id, ids[0]!, id]));
        else if (kind === 8) {
          const upTo = run.model.sent[random(run.model.sent.length)]?.position ?? null;
          await run.inbox.acknowledgeAll(userId, random(2) === 0 ? topicId : null, random(2) === 0 ? upTo : null);
        } else if (random(3) > 0 && id !== undefined) await codeOf(run.inbox.retract(run.creator, id));
        else {
          // Only what the model has heard of: the event of one that is removed can't be read any more.
          const old = run.model.sent.filter((one) => one.topicId === topicId && !one.removed).slice(0, 3);
          await sql`update notifications set created_at = now() - interval '31 days' where id = any(${
            old.map((one) => one.id)
          }::uuid[])`;
          await retention.prune();
        }
      }
    }));
    stop = true;
    await numbering;
    await sql`select number_pending()`;
    await run.follow();
    await run.compareAll(7);
  });
});
