/** What is made due of the feed, over a real PostgreSQL: for whom, when, once, and at what cost. */

import assert from "node:assert/strict";
import { runMigrations } from "../../../kit/migrations.ts";
import { withDatabase } from "../../../kit/testing/database.ts";
import { migrations } from "../migrations/mod.ts";
import { ANN, BOB, CARL, DORA, LUNCH, MailWorld, NEWS, withMail } from "../testing/mail.ts";

Deno.test("mail follower - it is for those who wanted it when it came by and were subscribed at its position", async () => {
  await withMail(async (world) => {
    const { sql, follower } = world;
    await world.want(BOB, { preference: "ALWAYS" });
    await world.want(CARL, { preference: "WHEN_AWAY" });
    await world.want(DORA, { preference: "DIGEST" });
    await world.want(ANN, { preference: "ALWAYS" });
    await world.send("one");
    await sql`select leave_topic(${NEWS}, ${BOB})`;
    await world.join(ANN);
    await world.send("two");
    await world.send("to two", NEWS, [CARL, ANN]);
    await world.send("elsewhere", LUNCH);
    assert.deepEqual(await world.due(), []);
    assert.equal(await follower.follow(), true);
    // Behind six joins, with a leave and a join in between.
    const [one, two] = [7, 10];
    const expected = [
      "a ALWAYS to two",
      "a ALWAYS two",
      "b ALWAYS one",
      "c WHEN_AWAY one",
      "c WHEN_AWAY to two",
      "c WHEN_AWAY two",
      `d DAY ${one}-${two}`,
    ];
    assert.deepEqual(await world.due(), expected);

    await world.want(CARL, { preference: "ALWAYS" });
    await world.want(DORA, { preference: "NEVER" });
    await world.send("three");
    await follower.follow();
    assert.deepEqual(await world.due(), [
      "a ALWAYS three",
      ...expected.slice(0, 3),
      "c ALWAYS three",
      ...expected.slice(3, 6),
    ]);
    // All of it was passed.
    await follower.follow();
    assert.equal((await world.due()).length, 8);
  });
});

Deno.test("mail follower - WHEN_AWAY counts from the notification on, digests are at full hours and once a day", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    await world.want(BOB, { preference: "WHEN_AWAY", afterMinutes: 30 });
    await world.want(CARL, { preference: "DIGEST", every: "HOUR" });
    await world.want(DORA, { preference: "DIGEST", every: "DAY" });
    const id = await world.send("one");
    await sql`update notifications set created_at = created_at - interval '20 minutes' where id = ${id}`;
    await world.follower.follow();
    const [row] = await sql`select
      (select due_at between now() + interval '9 minutes' and now() + interval '10 minutes' from mail_due) as away,
      (select due_at > now() and due_at <= now() + interval '1 hour' and date_trunc('hour', due_at) = due_at
        from digest_due where every = 'HOUR') as hour,
      (select due_at > now() and due_at <= now() + interval '1 day' and to_char(due_at at time zone 'UTC', 'HH24:MI:SS.US') = '06:00:00.000000'
        from digest_due where every = 'DAY') as day`;
    assert.deepEqual({ ...row }, { away: true, hour: true, day: true });
  });
});

Deno.test("mail follower - however many want it: in bounded steps, by any node, each once", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    const many = 2_500;
    await sql`insert into subscriptions (topic_id, user_id, joined, joined_number)
      select ${NEWS}, gen_random_uuid(), 0, 0 from generate_series(1, ${many})`;
    await sql`insert into mail_preferences (user_id, topic_id, preference, every, after_minutes)
      select user_id, topic_id, case when random() < 0.5 then 'ALWAYS' else 'DIGEST' end, 'DAY', 10 from subscriptions
        where topic_id = ${NEWS} and joined = 0`;
    await world.want(BOB, { preference: "ALWAYS" }, LUNCH);
    for (let nth = 0; nth < 3; nth++) await world.send(`${nth}`);
    await world.send("soup", LUNCH);
    const step = async () => (await sql`select make_mail_due(1000, 6) as left`)[0]!.left as number | null;
    const rows = async () =>
      (await sql`select (select count(*) from mail_due) + (select count(*) from digest_due) as count`)[0]!
        .count as number;
    const position = async () => (await sql`select position from mail_head`)[0]!.position as number;

    // What is rolled back, since the node died, is as if it had not been.
    const before = await position();
    await sql.begin(async (transaction) => {
      await transaction`select make_mail_due(1000, 6)`;
      throw new Error("killed");
    }).catch(() => {});
    assert.equal(await rows(), 0);

    let last = 0;
    for (let left = await step(); left !== 0; left = await step()) {
      const now = await rows();
      assert.ok(now > last && now - last <= 1_000 + 3, `${now - last} rows in one step`);
      assert.equal(await position(), before);
      last = now;
    }
    const singles = await sql`select count(*) as rows, count(distinct user_id) as users from mail_due`;
    const wanted =
      await sql`select count(*) as users from mail_preferences where topic_id = ${NEWS} and preference = 'ALWAYS'`;
    const digests = await sql`select count(*) as rows from digest_due`;
    assert.equal(singles[0]!.rows, 3 * wanted[0]!.users + 1);
    assert.equal(digests[0]!.rows, many - wanted[0]!.users);

    // One at a time: who finds the other at it goes away at once.
    await sql.begin(async (other) => {
      await other`select pg_advisory_xact_lock(x'4e544658'::int, 3)`;
      assert.equal(await step(), null);
      assert.equal(await world.follower.follow(), false);
    });
    for (let nth = 0; nth < 3; nth++) await world.send(`again ${nth}`);
    const others = [world.newFollower(), world.newFollower(), world.newFollower()];
    while (!(await Promise.all(others.map((one) => one.follow()))).includes(true));
    assert.equal((await sql`select from mail_due`).length, 6 * wanted[0]!.users + 1);
  });
});

Deno.test("mail follower - it costs what those who want mail cost, not what all subscribers do", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    await sql`insert into subscriptions (topic_id, user_id, joined, joined_number)
      select ${NEWS}, gen_random_uuid(), 0, 0 from generate_series(1, 10000)`;
    // Others want mail of other topics, and some wanted it once.
    await sql`insert into mail_preferences (user_id, topic_id, preference, every, after_minutes)
      select user_id, case when random() < 0.5 then ${NEWS}::uuid else gen_random_uuid() end, 'NEVER', 'DAY', 10 from subscriptions
        where topic_id = ${NEWS} and joined = 0`;
    await sql`update mail_preferences set preference = 'ALWAYS' where topic_id <> ${NEWS}`;
    await world.want(BOB, { preference: "ALWAYS" });
    await world.want(CARL, { preference: "DIGEST" });
    for (let nth = 0; nth < 20; nth++) await world.send(`${nth}`);
    await sql`analyze`;
    /** Rows of each table that one statement looks at. */
    const read = async () =>
      await sql.begin(async (transaction) => {
        // Also counts what this connection did a moment before.
        const count = () =>
          transaction<{ relname: string; count: number }[]>`
            select relname, seq_tup_read + idx_tup_fetch as count from pg_stat_xact_user_tables`;
        const before = new Map((await count()).map((row) => [row.relname, row.count]));
        await transaction`select make_mail_due(1000, 6)`;
        const after = new Map((await count()).map((row) => [row.relname, row.count]));
        return (table: string) => (after.get(table) ?? 0) - (before.get(table) ?? 0);
      }) as (table: string) => number;
    const some = await read();
    assert.equal((await world.due()).length, 21);
    assert.deepEqual([some("subscriptions"), some("mail_preferences")], [2 * 20, 23]);
    // Nobody wants any of this topic: its positions are passed, and that is all.
    for (let nth = 0; nth < 20; nth++) await world.send(`${nth}`, LUNCH);
    const none = await read();
    assert.equal((await world.due()).length, 21);
    assert.deepEqual([none("subscriptions"), none("mail_preferences")], [0, 1]);
    assert.equal((await sql`select position - (select position from feed_head) as ahead from mail_head`)[0]!.ahead, 0);
  });
});

Deno.test("mail follower - what was sent before there were mails makes none", async () => {
  await withDatabase(migrations.filter(({ name }) => !/mail/.test(name)), async (sql, url) => {
    await sql`insert into topics (id, name, created_by) values (${NEWS}, 'news', ${ANN})`;
    const world = new MailWorld(sql, url);
    await world.join(BOB);
    await world.send("before");
    await runMigrations(sql, migrations);
    await world.want(BOB, { preference: "ALWAYS" });
    await world.send("after");
    await world.follower.follow();
    assert.deepEqual(await world.due(), ["b ALWAYS after"]);
  });
});
