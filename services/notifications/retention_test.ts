/** Removal of what is old, over a real PostgreSQL: oldest first, in batches, by one node at a time, and what is told of it afterwards. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { Feed } from "./feed.ts";
import { Inbox } from "./inbox.ts";
import { migrations } from "./migrations/mod.ts";
import { Resuming } from "./resuming.ts";
import { Retention } from "./retention.ts";

const [SHORT, LONG, ANN, BOB] = ["c", "d", "a", "b"].map((digit) => `00000000-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
  string,
];

interface Parts {
  readonly sql: Sql;
  readonly feed: Feed;
  readonly inbox: Inbox;
  readonly resuming: Resuming;
  readonly retention: Retention;
  /** Sends `count` to a topic, `days` ago; their cursors. */
  readonly send: (topicId: string, days: number, count?: number) => Promise<string[]>;
}

/** Two topics of Ann's that keep for 1 and for 30 days; Bob is subscribed to both. */
async function withRetention(use: (parts: Parts) => Promise<void>): Promise<void> {
  await withDatabase(migrations, async (sql) => {
    await sql`insert into topics (id, name, created_by, retention_days) values (${SHORT}, 'a', ${ANN}, 1), (${LONG}, 'b', ${ANN}, 30)`;
    await sql`select join_topic(${SHORT}, ${BOB}), join_topic(${LONG}, ${BOB})`;
    const feed = new Feed(sql, getLogger("test"));
    await feed.start();
    const inbox = new Inbox(sql);
    try {
      await use({
        sql,
        feed,
        inbox,
        resuming: new Resuming(sql, feed, inbox),
        retention: new Retention(sql, getLogger("test")),
        async send(topicId, days, count = 1) {
          const ids = Array.from({ length: count }, () => newId());
          for (const id of ids) await sql`select prepare_notification(${id}, ${topicId}, ${ANN}, 'hello', '{}')`;
          await sql`update notifications set created_at = now() - ${days} * interval '1 day' where id = any(${ids}::uuid[])`;
          const cursors = [];
          for (const id of ids) cursors.push((await feed.place(id, 5_000))!.cursor);
          return cursors;
        },
      });
    } finally {
      await feed.stop();
    }
  });
}

/** What the refusal of a resume says is the oldest cursor; undefined where it isn't refused. */
async function oldestCursor(resume: Promise<unknown>): Promise<string | undefined> {
  try {
    await resume;
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "CURSOR_EXPIRED") throw error;
    return error.extensions.oldestCursor as string;
  }
}

Deno.test("retention - each topic keeps for its own time; a cursor is expired exactly when something behind it is gone", async () => {
  await withRetention(async ({ inbox, resuming, retention, send }) => {
    const [old] = await send(LONG, 10);
    const [gone] = await send(SHORT, 2);
    const [kept] = await send(SHORT, 0.5);
    await inbox.acknowledgeAll(BOB, LONG, null);
    assert.equal(await inbox.unseenCount(BOB, null), 2);
    assert.ok(await retention.prune());

    assert.equal(await inbox.unseenCount(BOB, null), 1);
    const ask = (after: string | undefined, topicId: string | null = null) =>
      resuming.missed({ userId: BOB, topicId, after: after!, upTo: null });
    assert.equal(await oldestCursor(ask(old)), gone);
    assert.equal(await oldestCursor(ask(old, LONG)), undefined);
    assert.equal(await oldestCursor(ask(old, SHORT)), gone);
    assert.equal(await oldestCursor(ask(gone)), undefined);
    assert.deepEqual((await ask(gone)).missed.map(({ cursor }) => cursor), [kept]);
    // Ann was never subscribed: nothing that she should have received is gone.
    assert.equal(
      await oldestCursor(resuming.missed({ userId: ANN, topicId: null, after: old!, upTo: null })),
      undefined,
    );
  });
});

Deno.test("retention - many are removed in batches, by one node, oldest first, and a stream is told what it skips", async () => {
  await withRetention(async ({ sql, feed, retention, send, inbox }) => {
    await send(SHORT, 2, 450);
    await send(LONG, 0);
    await send(SHORT, 0, 2);
    await sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(x'4e544658'::int, 2)`;
      assert.equal(await retention.prune(), false);
    });
    assert.equal(await inbox.unseenCount(BOB, null), 453);
    assert.equal(await retention.prune(), true);
    assert.equal(await inbox.unseenCount(BOB, null), 3);
    assert.deepEqual(
      (await sql`select kind, topic_id from feed where position > 2 order by position`).map((row) => row.kind),
      ["notification", "notification", "notification", "prune", "prune", "prune"],
    );
    // As a node that has just started reads it for a gateway.
    const fresh = new Feed(sql, getLogger("test"));
    const events = [];
    await fresh.start();
    for (let position = 0; position < (await feed.head()).position; position = events.at(-1)!.position) {
      events.push(...await fresh.after(position, 100, new AbortController().signal));
    }
    await fresh.stop();
    assert.deepEqual(events.map(({ position }) => position), [1, 2, 453, 454, 455, 456, 457, 458]);
  });
});

Deno.test("retention - what belonged to a deleted topic is removed, at last the topic itself", async () => {
  await withRetention(async ({ sql, inbox, retention, send }) => {
    await send(LONG, 0, 3);
    await send(SHORT, 0);
    await inbox.acknowledgeAll(BOB, LONG, null);
    await sql`insert into invitations (topic_id, user_id) values (${LONG}, ${BOB})`;
    const rows = async () => {
      const [row] =
        await sql`select (select count(*) from feed where topic_id = ${LONG} and kind = 'notification') as feed,
        (select count(*) from notifications where topic_id = ${LONG}) as notifications,
        (select count(*) from subscriptions where topic_id = ${LONG}) as subscriptions,
        (select count(*) from seen_ranges where topic_id = ${LONG}) as seen_ranges,
        (select count(*) from seen_sums where topic_id = ${LONG}) as seen_sums,
        (select count(*) from inboxes where topic_id = ${LONG}) as inboxes,
        (select count(*) from invitations where topic_id = ${LONG}) as invitations`;
      return new Set(Object.values(row!));
    };
    await sql`update topics set deleted_at = now() - interval '59 minutes' where id = ${LONG}`;
    await retention.prune();
    assert.ok(!(await rows()).has(0));
    await sql`update topics set deleted_at = now() - interval '61 minutes' where id = ${LONG}`;
    await retention.prune();
    assert.deepEqual(await rows(), new Set([0]));
    await sql`update topics set deleted_at = now() - interval '8 days' where id = ${LONG}`;
    await retention.prune();
    assert.deepEqual((await sql`select id from topics`).map(({ id }) => id), [SHORT]);
    assert.equal(await inbox.unseenCount(BOB, null), 1);
    assert.deepEqual((await sql`select topic_id from topic_heads`).map((row) => row.topic_id), [SHORT]);
  });
});

Deno.test("retention - old events that are no notifications go, and who asks for acknowledgements among them is told", async () => {
  await withRetention(async ({ sql, inbox, resuming, retention, send }) => {
    const [first] = await send(LONG, 0);
    await inbox.acknowledgeAll(BOB, LONG, null);
    const [second] = await send(SHORT, 0);
    await inbox.acknowledgeAll(BOB, SHORT, null);
    await sql`update feed set at = now() - interval '8 days' where position <= 4`;
    await retention.prune();
    assert.deepEqual((await sql`select kind from feed order by position`).map(({ kind }) => kind), [
      "notification",
      "notification",
      "seenAll",
    ]);
    const ask = (topicId: string, after: string) =>
      resuming.acknowledgements({ userId: ANN, topicId, after, upTo: null });
    const oldest = await oldestCursor(ask(LONG, first!));
    assert.deepEqual((await ask(LONG, oldest!)).missed, []);
    assert.equal((await ask(SHORT, first!)).missed.length, 1);
    assert.equal((await ask(SHORT, second!)).missed.length, 1);
    assert.equal(await inbox.unseenCount(BOB, null), 0);
    // Those that come later are reached as well.
    await sql`update feed set at = now() - interval '8 days' where kind <> 'notification'`;
    await retention.prune();
    assert.equal((await sql`select from feed where kind <> 'notification'`).length, 0);
  });
});
