/** The inbox over a real PostgreSQL: what a page reads doesn't grow with what others were sent, nor with what was seen before. */

import assert from "node:assert/strict";
import type { Sql } from "../../kit/database.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { Inbox, type InboxFilter } from "./inbox.ts";
import { migrations } from "./migrations/mod.ts";

const [BUSY, QUIET, ANN, BOB] = ["c", "d", "a", "b"].map((digit) => `00000000-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
  string,
];
const ALL: InboxFilter = { topicId: null, fromUserId: null, seen: null };
/** How many notifications the busy topic has; the quiet one has five, from before. */
const MANY = 20_000;

/** Ann is subscribed to the quiet topic and Bob to the busy one, of which he has seen everything. */
async function withManyNotifications(use: (sql: Sql) => Promise<void>): Promise<void> {
  await withDatabase(migrations, async (sql) => {
    const sendMany = (topicId: string, count: number) =>
      sql`select prepare_notification(gen_random_uuid(), ${topicId}, ${ANN}, 'hello', '{}') from generate_series(1, ${count}::int)`;
    for (const [topicId, member, count] of [[QUIET, ANN, 5], [BUSY, BOB, MANY]] as const) {
      await sql`insert into topics (id, name, created_by) values (${topicId}, ${topicId}, ${ANN})`;
      await sql`select join_topic(${topicId}, ${member})`;
      await sendMany(topicId, count);
      await sql`select * from number_pending()`;
    }
    await sql`select acknowledge(array(select ${BOB}::uuid from notifications where topic_id = ${BUSY}),
      array(select id from notifications where topic_id = ${BUSY}))`;
    await sql`analyze`;
    await use(sql);
  });
}

/** How many rows of the feed and of what was received and seen `ask` reads. */
async function rowsRead(sql: Sql, ask: (inbox: Inbox) => Promise<unknown>): Promise<number> {
  return await sql.begin(async (transaction) => {
    // What the connection's earlier transactions read is there until it is reported.
    const readSoFar = async () => {
      const [read] = await transaction<{ rows: number }[]>`
        select sum(seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables
        where relname in ('feed', 'recipients', 'seen_ranges', 'retractions', 'inboxes')`;
      return read!.rows;
    };
    const before = await readSoFar();
    await ask(new Inbox(transaction as unknown as Sql));
    return await readSoFar() - before;
  }) as number;
}

Deno.test(`inbox - a page of a quiet topic doesn't read past the ${MANY} notifications of a busy one`, async () => {
  await withManyNotifications(async (sql) => {
    assert.equal((await new Inbox(sql).page(ANN, ALL, null, 50)).length, 5);
    assert.ok(await rowsRead(sql, (inbox) => inbox.page(ANN, ALL, null, 50)) < 100);
    assert.ok(await rowsRead(sql, (inbox) => inbox.page(ANN, { ...ALL, topicId: QUIET }, null, 50)) < 100);
    assert.ok(await rowsRead(sql, (inbox) => inbox.missed(ANN, null, 1, 2 * MANY, 500)) < 100);
    assert.ok(await rowsRead(sql, (inbox) => inbox.unseenCount(ANN, null)) < 100);
  });
});

Deno.test(`inbox - a page of 50 doesn't read all of ${MANY} that were seen before`, async () => {
  await withManyNotifications(async (sql) => {
    const page = await new Inbox(sql).page(BOB, ALL, null, 50);
    assert.deepEqual([page.length, page.every(({ seen }) => seen)], [50, true]);
    assert.ok(await rowsRead(sql, (inbox) => inbox.page(BOB, ALL, null, 50)) < 500);
    assert.ok(await rowsRead(sql, (inbox) => inbox.page(BOB, ALL, page.at(-1)!.position, 50)) < 500);
    assert.ok(await rowsRead(sql, (inbox) => inbox.missed(BOB, null, MANY, 2 * MANY, 50)) < 500);
    const ids = page.map(({ id }) => id);
    assert.ok(await rowsRead(sql, (inbox) => inbox.acknowledge(BOB, ids)) < 1_000);
  });
});
