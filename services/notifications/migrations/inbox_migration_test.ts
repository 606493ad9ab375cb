/** Rows of before inboxes were counted by numbers: the migrations give each its number, and everybody the counts that they had. */

import assert from "node:assert/strict";
import { runMigrations } from "../../../kit/migrations.ts";
import { withDatabase } from "../../../kit/testing/database.ts";
import { Inbox } from "../inbox.ts";
import { migrations } from "./mod.ts";

const [TOPIC, ANN, BOB] = ["c", "a", "b"].map((digit) => `00000000-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
];
const BEFORE = migrations.filter(({ name }) => name < "000004");

Deno.test("inbox migration - what was received, seen and waiting before is so afterwards", async () => {
  await withDatabase(BEFORE, async (sql) => {
    const send = (message: string, to: string[] = []) =>
      sql`select prepare_notification(gen_random_uuid(), ${TOPIC}, ${ANN}, ${message}, ${to}::uuid[])`;
    const sendNow = async (message: string, to: string[] = []) => {
      await send(message, to);
      await sql`select number_pending()`;
    };
    await sql`insert into topics (id, name, created_by) values (${TOPIC}, 'news', ${ANN})`;
    await sendNow("before the join");
    await sql`select join_topic(${TOPIC}, ${BOB})`;
    await sql`select join_topic(${TOPIC}, ${ANN})`;
    for (const message of ["one", "two", "three"]) await sendNow(message);
    await sendNow("to bob", [BOB]);
    await sendNow("to bob again", [BOB]);
    await sql`select leave_topic(${TOPIC}, ${BOB})`;
    await sendNow("while away");
    await sql`select join_topic(${TOPIC}, ${BOB})`;
    await sendNow("four");
    await sql`insert into acknowledgements (user_id, notification_id)
      select ${BOB}, id from notifications where message in ('two', 'three', 'to bob', 'four')`;
    await send("waiting");
    await send("waiting for bob", [BOB]);

    await runMigrations(sql, migrations);

    const inbox = new Inbox(sql);
    const page = async (userId: string, seen: boolean | null) => {
      const rows = await inbox.page(userId, { topicId: null, fromUserId: null, seen }, null, 50);
      return rows.map(({ message, recipientCount }) => [message, recipientCount]);
    };
    assert.deepEqual(await page(BOB, true), [["four", 2], ["to bob", 1], ["three", 2], ["two", 2]]);
    assert.deepEqual(await page(BOB, false), [["to bob again", 1], ["one", 2]]);
    assert.equal(await inbox.unseenCount(BOB, null), 2);
    assert.deepEqual((await page(ANN, null)).map(([message]) => message), [
      "four",
      "while away",
      "three",
      "two",
      "one",
    ]);
    assert.equal(await inbox.unseenCount(ANN, null), 5);
    const ids = await sql<{ id: string; message: string }[]>`select id, message from notifications`;
    const seen = await inbox.seenCounts(ids.map(({ id }) => id));
    const seenOf = (message: string) => seen.get(ids.find((one) => one.message === message)!.id);
    assert.deepEqual(["one", "two", "to bob", "to bob again", "four"].map(seenOf), [0, 1, 1, 0, 1]);

    await sql`select number_pending()`;
    assert.deepEqual(await page(BOB, false), [["waiting for bob", 1], ["waiting", 2], ["to bob again", 1], ["one", 2]]);
    assert.equal(await inbox.acknowledgeAll(BOB, null, null), 4);
    assert.equal(await inbox.unseenCount(BOB, null), 0);
  });
});
