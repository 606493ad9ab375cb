/** The feed over a real PostgreSQL: positions in the order of commits, the same at every node, however large a batch is. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { Feed } from "./feed.ts";
import { migrations } from "./migrations/mod.ts";

const [TOPIC, ANN, BOB] = ["c", "a", "b"].map((digit) => `00000000-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
];
const LIMIT_MS = 5_000;

/** Two nodes on one database with a topic of Ann's. */
async function withFeeds(use: (feeds: [Feed, Feed], sql: Sql) => Promise<void>): Promise<void> {
  await withDatabase(migrations, async (sql) => {
    await sql`insert into topics (id, name, created_by) values (${TOPIC}, 'news', ${ANN})`;
    const feeds: [Feed, Feed] = [new Feed(sql, getLogger("test")), new Feed(sql, getLogger("test"))];
    await Promise.all(feeds.map((feed) => feed.start()));
    try {
      await use(feeds, sql);
    } finally {
      await Promise.all(feeds.map((feed) => feed.stop()));
    }
  });
}

async function send(sql: Sql, message = "hello", id = newId()): Promise<string> {
  await sql`select prepare_notification(${id}, ${TOPIC}, ${ANN}, ${message}, '{}')`;
  return id;
}

/** The first `count` events behind `position`, as a gateway's stream takes them. */
async function events(feed: Feed, count: number, position = 0): Promise<string[]> {
  const all: string[] = [];
  const giveUpAt = Date.now() + LIMIT_MS;
  while (all.length < count && Date.now() < giveUpAt) {
    for (const event of await feed.after(position, 100, new AbortController().signal)) {
      assert.equal(event.position, position + 1);
      position = event.position;
      all.push(event.kind === "notification" ? event.id : `${event.kind} ${"userId" in event ? event.userId : ""}`);
    }
  }
  return all;
}

Deno.test("feed - both nodes have all events at consecutive positions, with joins and leaves between", async () => {
  await withFeeds(async (feeds, sql) => {
    const first = await send(sql);
    await sql`select join_topic(${TOPIC}, ${BOB})`;
    const second = await send(sql);
    const placed = await feeds[0].place(second, LIMIT_MS);
    await sql`select leave_topic(${TOPIC}, ${BOB})`;
    const expected = [first, `join ${BOB}`, second, `leave ${BOB}`];
    assert.deepEqual(await events(feeds[0], 4), expected);
    assert.deepEqual(await events(feeds[1], 4), expected);
    assert.deepEqual(await events(feeds[1], 1, 3), expected.slice(3));
    // Whoever asks again, at any node, is told the same.
    for (const feed of feeds) {
      const { cursor, createdAt } = (await feed.place(second, LIMIT_MS))!;
      assert.deepEqual({ cursor, createdAt }, { cursor: placed!.cursor, createdAt: placed!.createdAt });
    }
    assert.equal(await feeds[0].place(newId(), LIMIT_MS), undefined);
  });
});

Deno.test("feed - many at once at both nodes each have one place, and all events come in the order of these", async () => {
  await withFeeds(async (feeds, sql) => {
    const ids = await Promise.all(Array.from({ length: 200 }, async (_, nth) => {
      const id = await send(sql);
      assert.ok(await feeds[nth % 2]!.place(id, LIMIT_MS));
      return id;
    }));
    const order = await events(feeds[0], ids.length);
    assert.deepEqual(order, await events(feeds[1], ids.length));
    assert.deepEqual(order.toSorted(), ids.toSorted());
  });
});

Deno.test("feed - a batch too large for one answer has its places and its events all the same", async () => {
  await withFeeds(async (feeds, sql) => {
    const ids = Array.from({ length: 40 }, () => newId());
    await sql.begin((transaction) => Promise.all(ids.map((id) => send(transaction as never, "x".repeat(10_000), id))));
    assert.deepEqual(await events(feeds[0], ids.length), ids);
    assert.deepEqual(await events(feeds[1], ids.length), ids);
    assert.ok((await feeds[0].place(ids[7]!, LIMIT_MS))?.cursor);
  });
});

Deno.test("feed - a lock that somebody holds makes it late, not wrong: no cursor now, the place afterwards", async () => {
  await withFeeds(async (feeds, sql) => {
    await sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(x'4e544658'::int, 1)`;
      assert.equal(await feeds[0].place(await send(sql), 50), undefined);
    });
    assert.equal((await events(feeds[0], 1)).length, 1);
  });
});

Deno.test("feed - what is removed before a node has read it leaves a gap, behind which its window goes on", async () => {
  await withFeeds(async (feeds, sql) => {
    const ids = Array.from({ length: 5 }, () => newId());
    await sql.begin(async (transaction) => {
      for (const id of ids.slice(0, 4)) await send(transaction as never, "hello", id);
      await transaction`select number_pending()`;
      await transaction`delete from feed where position = 2`;
    });
    const after = async (position: number) =>
      (await feeds[0].after(position, LIMIT_MS, new AbortController().signal)).map((event) => event.position);
    assert.deepEqual(await after(0), [1, 3, 4]);
    await send(sql, "hello", ids[4]);
    await feeds[1].place(ids[4]!, LIMIT_MS);
    assert.deepEqual(await after(4), [5]);
    for (const position of [1, 2, 3]) {
      assert.deepEqual(
        await after(position),
        [3, 4, 5].filter((one) => one > position),
      );
    }
  });
});

Deno.test("feed - behind a window that was trimmed for its characters older events are read from the table", async () => {
  await withFeeds(async (feeds, sql) => {
    const ids = Array.from({ length: 1_700 }, () => newId());
    for (let from = 0; from < ids.length; from += 100) {
      await sql`select prepare_notification(id, ${TOPIC}, ${ANN}, repeat('x', 10000), '{}')
        from unnest(${ids.slice(from, from + 100)}::uuid[]) as id`;
      await feeds[0].place(ids[from]!, LIMIT_MS);
    }
    assert.deepEqual(await events(feeds[0], ids.length), ids);
    assert.deepEqual(await events(feeds[1], 100, 1_600), ids.slice(1_600));
  });
});
