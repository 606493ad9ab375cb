/** Digests over a real PostgreSQL: what they tell, and how many they count that they don't. */

import assert from "node:assert/strict";
import { Inbox } from "../inbox.ts";
import { ANN, BOB, CARL, LUNCH, NEWS, withMail } from "../testing/mail.ts";

Deno.test("digests - one for all topics and all that came, the newest in their order, and how many more", async () => {
  await withMail(async (world) => {
    await world.want(BOB, { preference: "DIGEST", every: "HOUR" });
    await world.want(BOB, { preference: "DIGEST", every: "HOUR" }, LUNCH);
    await world.want(CARL, { preference: "DIGEST", every: "HOUR" });
    await world.want(CARL, { preference: "DIGEST", every: "DAY" }, LUNCH);
    for (let nth = 0; nth < 40; nth++) {
      await world.send(`n${nth}`);
      await world.send(`l${nth}`, LUNCH);
      if (nth % 10 === 0) await world.follower.follow();
    }
    await world.send("x".repeat(2_000), NEWS, [BOB]);
    await world.follower.follow();
    // A window that is due while another one has begun.
    await world.pass("1 hour");
    await world.send("later");
    await world.follower.follow();
    const mails = await world.mails();
    assert.deepEqual(mails.map(({ to, data }) => [to[0], data.every, data.more, (data.entries as unknown[]).length]), [
      ["b", "hour", 31, 50],
      ["c", "hour", 0, 40],
    ]);
    const { entries } = mails[0]!.data as { entries: { topic: string; from: string; message: string; at: string }[] };
    assert.deepEqual(entries.slice(-3).map(({ topic, message }) => [topic, message.slice(0, 3), message.length]), [
      ["news", "n39", 3],
      ["lunch", "l39", 3],
      ["news", "xxx", 650],
    ]);
    assert.equal(entries[0]!.message, "l15");
    assert.ok(entries.every(({ from, at }) => from === "a@example.com" && !Number.isNaN(Date.parse(at))));
    assert.equal(mails[0]!.userId, undefined);
    // Two windows that are due together are one mail; the ends of digests are not those of topics.
    await world.sql`delete from mail_outbox`;
    // A time is what PostgreSQL has, to the microsecond.
    await world.pass("2 days 1 microsecond");
    assert.deepEqual((await world.told()).map((one) => one.slice(0, 7)), ["b later", "c l0, l", "c later"]);
    const tokens = new Set(mails.map(({ unsubscribeUrl }) => unsubscribeUrl));
    assert.equal(tokens.size, 2);
  });
});

Deno.test("digests - the arithmetic counts what a list counts, after joins, leaves, acknowledgements and retractions", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    const inbox = new Inbox(sql);
    let seed = Number(Deno.env.get("NOTIFYX_TEST_SEED") ?? Math.floor(Math.random() * 2 ** 31));
    const failed = `NOTIFYX_TEST_SEED=${seed}`;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return Math.floor(seed / 0x7fffffff * below);
    };
    const sent: string[] = [];
    for (let step = 0; step < 150; step++) {
      switch (random(12)) {
        case 0:
          await sql`select leave_topic(${NEWS}, ${BOB})`;
          break;
        case 1:
        case 2:
          await world.join(BOB);
          break;
        case 3: {
          const [one] = await inbox.received(BOB, [sent[random(sent.length)] ?? ANN]);
          if (one !== undefined) await inbox.acknowledge(BOB, [one.id]);
          break;
        }
        case 4:
          if (sent.length > 0) await inbox.retract(ANN, sent[random(sent.length)]!);
          break;
        case 5:
          if (random(4) === 0) await inbox.acknowledgeAll(BOB, NEWS, random(step + 8));
          break;
        case 6: {
          const [stay] =
            await sql`select from subscriptions where topic_id = ${NEWS} and user_id = ${BOB} and "left" is null`;
          if (stay !== undefined) sent.push(await world.send("targeted", NEWS, [BOB]));
          break;
        }
        default:
          sent.push(await world.send("broadcast"));
      }
    }
    // Whatever has been acknowledged by then, of these enough are unseen.
    await world.join(BOB);
    for (let nth = 0; nth < 20; nth++) sent.push(await world.send("broadcast"));
    const unseen = await inbox.page(BOB, { topicId: NEWS, fromUserId: null, seen: false }, null, 1_000);
    const positions = unseen.map(({ position }) => position);
    const [head] = await sql`select position from feed_head`;
    let some = 0;
    for (let nth = 0; nth < 200; nth++) {
      const [first, last] = [random(head!.position + 2), random(head!.position + 2)].sort((a, b) => a - b) as [
        number,
        number,
      ];
      const expected = positions.filter((position) => position >= first && position <= last).length;
      const [row] = await sql`select unseen_between(${BOB}, ${NEWS}, ${first}, ${last}) as count`;
      assert.equal(row!.count, expected, `${failed}: ${first} to ${last}`);
      const entries = await sql`select nth from digest_entries('{0}', ${[BOB]}::uuid[], ${[NEWS]}::uuid[], ${[
        first,
      ]}::bigint[],
        ${[last]}::bigint[], 5, 100)`;
      assert.equal(entries.length, Math.min(5, expected), `${failed}: ${first} to ${last}`);
      if (expected > 5) some++;
    }
    assert.ok(some > 10, failed);
  });
});
