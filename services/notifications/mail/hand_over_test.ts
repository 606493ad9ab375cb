/** What becomes of what is due, over a real PostgreSQL: one mail of each row, or none where nobody wants it any more. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { UserError } from "../../../kit/errors.ts";
import { Inbox } from "../inbox.ts";
import { Retention } from "../retention.ts";
import { ANN, BOB, CARL, DORA, EVERYBODY, LUNCH, NEWS, withMail } from "../testing/mail.ts";

Deno.test("mail hand-over - a mail says what was sent, and has a link that ends it", async () => {
  await withMail(async (world) => {
    await world.want(BOB, { preference: "ALWAYS" });
    const id = await world.send("soup <b>\r\nBcc: x");
    const [mail, ...others] = await world.mails();
    assert.equal(others.length, 0);
    const [row] = await world.sql`select created_at, token from notifications, mail_preferences where id = ${id}`;
    const unsubscribeUrl = `http://public.example/unsubscribe/${row!.token}`;
    assert.deepEqual({ ...mail, id: null }, {
      id: null,
      to: "b@example.com",
      userId: ANN,
      template: "notification",
      data: {
        topic: "news",
        from: "a@example.com",
        message: "soup <b>\r\nBcc: x",
        at: row!.created_at.toISOString(),
        unsubscribeUrl,
      },
      unsubscribeUrl,
    });
    assert.match(mail!.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(await world.due(), []);
    assert.deepEqual(await world.mails(), [mail]);
    // As after a restore of an older copy: the mail is the same one.
    await world.sql`delete from mail_outbox`;
    await world.sql`update mail_head set position = 0`;
    assert.deepEqual(await world.mails(), [mail]);
  });
});

Deno.test("mail hand-over - what was seen, taken back or left meanwhile makes no mail; an inactive topic's does", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    const inbox = new Inbox(sql);
    const wants = async (wanted: "WHEN_AWAY" | "ALWAYS" | "DIGEST") => {
      for (const topicId of [NEWS, LUNCH]) {
        for (const user of [BOB, CARL, DORA]) await world.want(user, { preference: wanted }, topicId);
      }
    };
    const sendAll = async () => [
      await world.send("first"),
      await world.send("second"),
      await world.send("targeted", NEWS, [BOB, CARL]),
      await world.send("soup", LUNCH),
    ];
    const meanwhile = async ([first, second, targeted]: string[]) => {
      await world.follower.follow();
      await inbox.acknowledge(BOB, [first!, targeted!]);
      await inbox.acknowledgeAll(CARL, NEWS, null);
      await inbox.retract(ANN, second!);
      await sql`select leave_topic(${LUNCH}, ${DORA})`;
      await sql`update topics set status = 'INACTIVE' where id = ${LUNCH}`;
      await world.pass("2 days");
      const told = await world.told();
      await sql`delete from mail_outbox`;
      await sql`update topics set status = 'ACTIVE' where id = ${LUNCH}`;
      await world.join(DORA, LUNCH);
      return told.sort();
    };
    await wants("WHEN_AWAY");
    assert.deepEqual(await meanwhile(await sendAll()), ["b soup", "c soup", "d first"]);
    await wants("ALWAYS");
    assert.deepEqual(await meanwhile(await sendAll()), [
      "b first",
      "b soup",
      "b targeted",
      "c first",
      "c soup",
      "c targeted",
      "d first",
    ]);
    await wants("DIGEST");
    assert.deepEqual(await meanwhile(await sendAll()), ["b soup +0", "c soup +0", "d first +0"]);
    assert.deepEqual(await world.due(), []);

    // Those who chose otherwise meanwhile: what waits is taken back by NEVER alone.
    await wants("WHEN_AWAY");
    await sendAll();
    await world.follower.follow();
    await world.want(BOB, { preference: "NEVER" });
    await world.want(CARL, { preference: "DIGEST" });
    assert.deepEqual((await world.due()).filter((one) => one.startsWith("b")), ["b WHEN_AWAY soup"]);
    await sql`update topics set deleted_at = now() where id = ${LUNCH}`;
    await world.pass("2 days");
    assert.deepEqual((await world.told()).sort(), ["c first", "c second", "c targeted", "d first", "d second"]);
  });
});

Deno.test("mail hand-over - what its topic keeps no longer makes no mail", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    await world.want(BOB, { preference: "WHEN_AWAY", afterMinutes: 10_080 });
    await world.want(CARL, { preference: "DIGEST" });
    await sql`update topics set retention_days = 1`;
    const old = await world.send("old");
    await world.send("new");
    await world.follower.follow();
    await sql`update notifications set created_at = created_at - interval '25 hours' where id = ${old}`;
    await new Retention(sql, getLogger("test")).prune();
    await world.pass("9 days");
    assert.deepEqual((await world.told()).sort(), ["b new", "c new +0"]);
    assert.deepEqual(await world.due(), []);
  });
});

Deno.test("mail hand-over - while auth is away all waits; who has no confirmed address gets none", async () => {
  await withMail(async (world) => {
    await world.want(BOB, { preference: "ALWAYS" });
    await world.want(CARL, { preference: "ALWAYS" });
    await world.want(DORA, { preference: "DIGEST" });
    await world.send("one");
    await world.follower.follow();
    await world.pass("2 days");
    const due = await world.due();
    const away = world.newHandOver({ of: () => Promise.reject(new UserError("SERVICE_UNAVAILABLE", "auth is away")) });
    await assert.rejects(away.handOver(), /auth is away/);
    await away.stop();
    assert.deepEqual(await world.due(), due);
    assert.deepEqual(await world.outbox(), []);
    const some = world.newHandOver({
      async of(ids) {
        const all = await EVERYBODY.of(ids);
        all.delete(BOB);
        all.set(DORA, { email: "d@example.com", confirmed: false });
        return all;
      },
    });
    await some.handOver();
    await some.stop();
    assert.deepEqual((await world.outbox()).map(({ to }) => to), ["c@example.com"]);
    assert.deepEqual(await world.due(), []);
  });
});

Deno.test("mail hand-over - a node that was frozen in its midst hands nothing over again, nor what was unsubscribed", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    await world.want(BOB, { preference: "ALWAYS" });
    await world.want(CARL, { preference: "ALWAYS" });
    await world.want(DORA, { preference: "DIGEST" });
    await world.want(DORA, { preference: "DIGEST" }, LUNCH);
    await world.send("one");
    await world.send("soup", LUNCH);
    await world.follower.follow();
    await world.pass("2 days");
    const other = world.newHandOver();
    let asked = 0;
    const frozen = world.newHandOver({
      async of(ids) {
        // As long as it holds the lease the other leaves it alone; then it does all of it.
        assert.equal(await other.handOver(), false);
        if (asked++ === 0) {
          await world.want(CARL, { preference: "NEVER" });
          await sql`update mail_lease set expires_at = now() - interval '1 second'`;
          assert.equal(await other.handOver(), true);
        }
        return await EVERYBODY.of(ids);
      },
    });
    assert.equal(await frozen.handOver(), false);
    assert.equal(asked, 1);
    assert.deepEqual(await world.told(), ["b one", "d one, soup +0"]);
    // What stops leaves its lease to the others.
    await world.send("two");
    await world.follower.follow();
    assert.equal(await frozen.handOver(), false);
    await other.stop();
    assert.equal(await frozen.handOver(), true);
    await frozen.stop();
  });
});

Deno.test("mail hand-over - a digest that grows or shrinks while it is made is made anew", async () => {
  await withMail(async (world) => {
    await world.want(BOB, { preference: "DIGEST" });
    await world.want(BOB, { preference: "DIGEST" }, LUNCH);
    await world.send("one");
    await world.send("soup", LUNCH);
    await world.follower.follow();
    await world.pass("2 days");
    let asked = 0;
    const handOver = world.newHandOver({
      async of(ids) {
        if (asked++ === 0) await world.want(BOB, { preference: "NEVER" }, LUNCH);
        // As if the follower had come by a moment before it was due.
        if (asked === 2) await world.sql`update digest_due set last_position = last_position + 1`;
        return await EVERYBODY.of(ids);
      },
    });
    for (let round = 0; round < 3; round++) await handOver.handOver();
    await handOver.stop();
    assert.deepEqual(await world.told(), ["b one +0"]);
    assert.equal(asked, 3);
    assert.deepEqual(await world.due(), []);
  });
});

Deno.test("mail hand-over - many are handed over in batches, each once, by nodes that die in between", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    const many = 1_000;
    await sql`insert into subscriptions (topic_id, user_id, joined, joined_number)
      select ${NEWS}, gen_random_uuid(), 0, 0 from generate_series(1, ${many})`;
    await sql`insert into mail_preferences (user_id, topic_id, preference, every, after_minutes)
      select user_id, topic_id, case when random() < 0.5 then 'ALWAYS' else 'DIGEST' end, 'DAY', 10 from subscriptions
        where topic_id = ${NEWS} and joined = 0`;
    await sql`insert into mail_digests (user_id, every) select user_id, 'DAY' from mail_preferences where preference = 'DIGEST'`;
    await world.send("one");
    await world.send("two");
    await world.follower.follow();
    await world.pass("2 days");
    const [wanted] = await sql`select count(*) filter (where preference = 'ALWAYS') as single,
      count(*) filter (where preference = 'DIGEST') as digest from mail_preferences`;
    let largest = 0;
    for (let round = 0; (await world.due()).length > 0; round++) {
      assert.ok(round < 100);
      // Each third batch finds auth away, which ends a node's work between two transactions.
      let calls = 0;
      const node = world.newHandOver({
        async of(ids) {
          if (++calls === 3) throw new UserError("TIMEOUT", "auth is away");
          const all = await EVERYBODY.of(ids);
          largest = Math.max(largest, all.size);
          return all;
        },
      });
      await node.handOver().catch(() => {});
      await node.stop();
    }
    const kinds =
      await sql`select mail ->> 'template' as template, count(*) as count from mail_outbox group by 1 order by 1`;
    assert.deepEqual(kinds.map((row) => [row.template, row.count]), [["digest", wanted!.digest], [
      "notification",
      2 * wanted!.single,
    ]]);
    assert.ok(largest <= 301, `${largest} addresses at once`);
  });
});
