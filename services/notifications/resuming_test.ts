/** What gateways are told over a real PostgreSQL: events of each kind, memberships, what was missed, and who acknowledged what. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../kit/database.ts";
import type { UserError } from "../../kit/errors.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { Feed } from "./feed.ts";
import type { FeedEvent } from "./feed_events.ts";
import { Inbox } from "./inbox.ts";
import { migrations } from "./migrations/mod.ts";
import { Resuming } from "./resuming.ts";

const [TOPIC, OTHER, ANN, BOB, EVE] = ["c", "d", "a", "b", "e"].map((digit) =>
  `00000000-0000-7000-8000-00000000000${digit}`
) as [string, string, string, string, string];

interface Parts {
  readonly sql: Sql;
  readonly feed: Feed;
  readonly inbox: Inbox;
  readonly resuming: Resuming;
  /** Sends to the topic; the id. */
  readonly send: (to?: string[], topicId?: string) => Promise<string>;
  /** All events from behind `position` on. */
  readonly events: (position: number) => Promise<FeedEvent[]>;
}

/** A topic of Ann's to which Bob is subscribed, and another one of hers. */
async function withResuming(use: (parts: Parts) => Promise<void>): Promise<void> {
  await withDatabase(migrations, async (sql) => {
    await sql`insert into topics (id, name, created_by) values (${TOPIC}, 'news', ${ANN}), (${OTHER}, 'others', ${ANN})`;
    await sql`select join_topic(${TOPIC}, ${BOB})`;
    const feed = new Feed(sql, getLogger("test"));
    await feed.start();
    const inbox = new Inbox(sql);
    try {
      await use({
        sql,
        feed,
        inbox,
        resuming: new Resuming(sql, feed, inbox),
        async send(to = [], topicId = TOPIC) {
          const id = newId();
          await sql`select prepare_notification(${id}, ${topicId}, ${ANN}, 'hello', ${to}::uuid[])`;
          assert.ok(await feed.place(id, 5_000));
          return id;
        },
        async events(position) {
          const { position: head } = await feed.head();
          const all: FeedEvent[] = [];
          while ((all.at(-1)?.position ?? position) < head) {
            all.push(...await feed.after(all.at(-1)?.position ?? position, 1_000, new AbortController().signal));
          }
          return all;
        },
      });
    } finally {
      await feed.stop();
    }
  });
}

const refused = (code: string) => (error: UserError) => error.code === code;

Deno.test("resuming - each change of topics and inboxes is an event at its own position, told once", async () => {
  await withResuming(async ({ sql, inbox, events, send, feed }) => {
    await sql`select join_topic(${TOPIC}, ${EVE})`;
    const { position: start } = await feed.head();
    const first = await send();
    const toBob = await send([BOB]);
    await send();
    await inbox.acknowledge(BOB, [first, toBob, first.toUpperCase()]);
    await inbox.acknowledge(BOB, [first]);
    assert.equal(await inbox.acknowledgeAll(BOB, TOPIC, null), 1);
    assert.equal(await inbox.acknowledgeAll(BOB, null, null), 0);
    await inbox.retract(ANN, first);
    await inbox.retract(ANN, first);
    await sql`select announce('topic', ${TOPIC}), announce('delete', ${OTHER})`;
    await sql`select number_pending()`;

    const told = await events(start);
    assert.deepEqual(told.map(({ position }) => position), told.map((_, nth) => start + 1 + nth));
    const facts = told.map((event) => {
      switch (event.kind) {
        case "notification":
          return [event.kind, event.to, event.recipientCount];
        case "seen":
          return [event.kind, event.userId, event.notificationId, event.cursor === undefined];
        case "seenAll":
          return [event.kind, event.userId, event.upToPosition];
        case "retract":
          return [event.kind, event.id, event.notificationPosition];
        default:
          return [event.kind, event.topicId];
      }
    });
    assert.deepEqual(facts, [
      ["notification", null, 2],
      ["notification", [BOB], 1],
      ["notification", null, 2],
      ["seen", BOB, first, false],
      ["seen", BOB, toBob, false],
      ["seenAll", BOB, start + 5],
      ["retract", first, start + 1],
      ["topic", TOPIC],
      ["delete", OTHER],
    ]);
  });
});

Deno.test("resuming - memberships are those of one position, by viewer, with what is wrong about a topic", async () => {
  await withResuming(async ({ sql, resuming, feed }) => {
    await sql`select join_topic(${OTHER}, ${BOB})`;
    await sql`update topics set visibility = 'INVITE' where id = ${OTHER}`;
    const { position, viewers } = await resuming.memberships([
      { userId: BOB, topicId: null },
      { userId: BOB, topicId: TOPIC },
      { userId: EVE, topicId: TOPIC },
      { userId: EVE, topicId: OTHER },
      { userId: ANN, topicId: OTHER },
      { userId: ANN, topicId: "none" },
      { userId: ANN, topicId: newId() },
    ]);
    const error = { code: "NOT_FOUND", error: "there is no such topic" };
    assert.equal(position, (await feed.head()).position);
    assert.deepEqual(new Set(viewers[0]!.topicIds), new Set([TOPIC, OTHER]));
    assert.deepEqual(viewers.slice(1), [
      { topicIds: [TOPIC], createdBy: ANN },
      { topicIds: [], createdBy: ANN },
      { topicIds: [], error },
      { topicIds: [], createdBy: ANN },
      { topicIds: [], error },
      { topicIds: [], error },
    ]);
    await sql`update topics set deleted_at = now() where id = ${TOPIC}`;
    const after = await resuming.memberships([{ userId: BOB, topicId: null }, { userId: ANN, topicId: TOPIC }]);
    assert.deepEqual(after.viewers, [{ topicIds: [OTHER] }, { topicIds: [], error }]);
    assert.equal((await resuming.memberships([])).viewers.length, 0);
  });
});

Deno.test("resuming - what was missed is what the viewer received, but for what is retracted", async () => {
  await withResuming(async ({ resuming, inbox, send, sql }) => {
    const { cursor } = await resuming.missed({ userId: BOB, topicId: null, after: null, upTo: null });
    const [first, toEve, toBob, last] = [
      await send(),
      (await sql`select join_topic(${TOPIC}, ${EVE})`, await send([EVE])),
      await send([BOB]),
      await send(),
    ];
    await inbox.acknowledge(BOB, [toBob]);
    await inbox.retract(ANN, first);
    const page = await resuming.missed({ userId: BOB, topicId: null, after: cursor, upTo: null });
    assert.deepEqual(page.missed.map(({ id, seen, recipientCount }) => [id, seen, recipientCount]), [
      [toBob, true, 1],
      [last, false, 2],
    ]);
    assert.deepEqual([page.more, page.topicIds], [false, [TOPIC]]);
    const eves = await resuming.missed({ userId: EVE, topicId: TOPIC, after: cursor, upTo: null });
    assert.deepEqual(eves.missed.map(({ id }) => id), [toEve, last]);
    await assert.rejects(
      resuming.missed({ userId: BOB, topicId: "none", after: null, upTo: null }),
      refused("NOT_FOUND"),
    );
    await assert.rejects(
      resuming.missed({ userId: BOB, topicId: null, after: "x", upTo: null }),
      refused("BAD_USER_INPUT"),
    );
  });
});

Deno.test("resuming - who acknowledged what is told to the topic's creator alone", async () => {
  await withResuming(async ({ resuming, inbox, send }) => {
    const request = { userId: ANN, topicId: TOPIC, after: null, upTo: null };
    const { cursor } = await resuming.acknowledgements(request);
    const [first] = [await send(), await send()];
    await inbox.acknowledge(BOB, [first]);
    await inbox.acknowledgeAll(BOB, null, null);
    const { missed, more } = await resuming.acknowledgements({ ...request, after: cursor });
    assert.deepEqual(missed.map(({ userId, notificationId, upTo }) => [userId, notificationId, upTo !== null]), [
      [BOB, first, false],
      [BOB, null, true],
    ]);
    assert.equal(more, false);
    const rest = await resuming.acknowledgements({ ...request, after: missed[0]!.cursor });
    assert.deepEqual(rest.missed, missed.slice(1));
    await assert.rejects(resuming.acknowledgements({ ...request, userId: BOB }), refused("FORBIDDEN"));
    await assert.rejects(resuming.acknowledgements({ ...request, topicId: newId() }), refused("NOT_FOUND"));
  });
});

Deno.test("resuming - the unseen of many users are those of one position", async () => {
  await withResuming(async ({ resuming, inbox, send, feed }) => {
    const ids = [await send(), await send([BOB]), await send()];
    await inbox.acknowledge(BOB, [ids[0]!]);
    const { position } = await feed.head();
    assert.deepEqual(await resuming.unseen([BOB, ANN, BOB]), { position, counts: [2, 0, 2] });
    assert.deepEqual(await resuming.unseen([]), { position, counts: [] });
  });
});

Deno.test("resuming - pages have so many rows and about so many bytes, and together hold each once", async () => {
  await withResuming(async ({ resuming, sql, feed }) => {
    const { cursor: begin, position: from } = await resuming.missed({
      userId: BOB,
      topicId: null,
      after: null,
      upTo: null,
    });
    // 27 of them are a megabyte of messages; then come many small ones.
    for (const [count, characters] of [[100, 10_000], [1_200, 5]] as const) {
      await sql`select prepare_notification(gen_random_uuid(), ${TOPIC}, ${ANN}, repeat('📣', ${characters}), '{}')
        from generate_series(1, ${count})`;
      await sql`select number_pending()`;
    }
    const sizes: number[] = [];
    const positions: number[] = [];
    for (let after = begin, upTo: number | null = null, more = true; more;) {
      const page = await resuming.missed({ userId: BOB, topicId: null, after, upTo });
      sizes.push(page.missed.length);
      positions.push(...page.missed.map(({ position }) => position));
      ({ more, position: upTo } = page);
      after = page.missed.at(-1)?.cursor ?? after;
    }
    assert.deepEqual(sizes, [27, 27, 27, 500, 500, 219]);
    assert.deepEqual(positions, Array.from({ length: 1_300 }, (_, nth) => from + nth + 1));
    assert.ok((await feed.head()).position >= from + 1_300);
  });
});
