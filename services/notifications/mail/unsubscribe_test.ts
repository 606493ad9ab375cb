/** The links that end mails, as mail programs, their scanners and people use them. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { type App, createApp } from "../../../kit/http.ts";
import type { Sql } from "../../../kit/database.ts";
import { BOB, CARL, LUNCH, MailWorld, NEWS, withMail } from "../testing/mail.ts";
import { addUnsubscribeRoutes } from "./unsubscribe.ts";

function appOf(sql: Sql): App {
  const log = getLogger("test");
  const app = createApp({
    service: "notifications",
    secret: "x".repeat(32),
    log,
    readyChecks: new Map(),
    statusPage: [],
  });
  addUnsubscribeRoutes(app, { sql, log });
  return app;
}

/** Bob's links: of the topic, and of the daily digest. */
async function linksOf({ sql }: MailWorld, topicId = NEWS): Promise<[string, string]> {
  const [row] =
    await sql`select (select token from mail_preferences where user_id = ${BOB} and topic_id = ${topicId}) as topic,
    (select token from mail_digests where user_id = ${BOB} and every = 'DAY') as digest`;
  return [`/unsubscribe/${row!.topic}`, `/unsubscribe/${row!.digest}`];
}

async function wanted({ sql }: MailWorld): Promise<string[]> {
  const rows =
    await sql`select p.user_id, t.name, p.preference, p.every from mail_preferences p join topics t on t.id = p.topic_id
    where p.preference <> 'NEVER' order by 1, 2`;
  return rows.map((row) => `${row.user_id.at(-1)} ${row.name} ${row.preference} ${row.every}`);
}

Deno.test("unsubscribe - GET and HEAD change nothing, POST ends the topic's mails, again and again, and what waits", async () => {
  await withMail(async (world) => {
    const app = appOf(world.sql);
    await world.want(BOB, { preference: "WHEN_AWAY" });
    await world.want(BOB, { preference: "ALWAYS" }, LUNCH);
    await world.want(CARL, { preference: "ALWAYS" });
    await world.send("waits");
    await world.send("elsewhere", LUNCH);
    await world.follower.follow();
    const [link] = await linksOf(world);
    for (let nth = 0; nth < 3; nth++) {
      const page = await app.request(link);
      assert.equal(page.status, 200);
      assert.match(await page.text(), /<form method="post"><button>Unsubscribe<\/button><\/form>/);
      assert.equal((await app.request(link, { method: "HEAD" })).status, 200);
    }
    assert.equal((await wanted(world)).length, 3);
    assert.equal((await world.due()).length, 3);

    // As RFC 8058 has it, and as the page's own form.
    for (const body of ["List-Unsubscribe=One-Click", "", "x".repeat(10_000)]) {
      const done = await app.request(link, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body,
      });
      assert.equal(done.status, 200);
      assert.match(await done.text(), /You are unsubscribed/);
      assert.deepEqual([done.headers.get("location"), done.headers.get("set-cookie")], [null, null]);
      assert.deepEqual(await wanted(world), ["b lunch ALWAYS DAY", "c news ALWAYS DAY"]);
    }
    assert.deepEqual(await world.due(), ["b ALWAYS elsewhere", "c ALWAYS waits"]);
    const text = await (await app.request(link)).text();
    assert.ok(/You are unsubscribed/.test(text) && !/<form/.test(text));
    // Who wants them again has the same link.
    await world.want(BOB, { preference: "ALWAYS" });
    assert.deepEqual((await linksOf(world))[0], link);
    assert.match(await (await app.request(link)).text(), /<form/);
  });
});

Deno.test("unsubscribe - a digest's link ends that digest of all topics, and no other mails", async () => {
  await withMail(async (world) => {
    const app = appOf(world.sql);
    await world.want(BOB, { preference: "DIGEST" });
    await world.want(BOB, { preference: "DIGEST" }, LUNCH);
    await world.want(CARL, { preference: "DIGEST" });
    await world.send("one");
    await world.follower.follow();
    const [, link] = await linksOf(world);
    assert.match(await (await app.request(link)).text(), /no more daily summaries/);
    assert.equal((await app.request(link, { method: "POST" })).status, 200);
    assert.deepEqual(await wanted(world), ["c news DIGEST DAY"]);
    assert.equal((await world.due()).length, 1);
    await world.want(BOB, { preference: "ALWAYS" });
    await world.want(BOB, { preference: "DIGEST", every: "HOUR" }, LUNCH);
    assert.equal((await app.request(link, { method: "POST" })).status, 200);
    assert.deepEqual(await wanted(world), ["b lunch DIGEST HOUR", "b news ALWAYS DAY", "c news DIGEST DAY"]);
  });
});

Deno.test("unsubscribe - an unknown link is a page that says so; a topic's name is text, and only for whom it may be", async () => {
  await withMail(async (world) => {
    const { sql } = world;
    const app = appOf(sql);
    const unknown = ["0".repeat(64), "0".repeat(63), "x", "%00", "%27", "0".repeat(5_000), "A".repeat(64), "%ff"];
    for (const token of unknown) {
      for (const method of ["GET", "POST"]) {
        const page = await app.request(`/unsubscribe/${token}`, { method });
        assert.equal(page.status, 404, token);
        assert.match(await page.text(), /This link is not known/);
      }
    }
    const hostile = `<script>alert(1)</script>"'&\r\nx`;
    await sql`update topics set name = ${hostile} where id = ${NEWS}`;
    await world.want(BOB, { preference: "ALWAYS" });
    const [link] = await linksOf(world);
    const page = await app.request(link);
    const text = await page.text();
    assert.ok(!text.includes("<script") && text.includes("&#60;script&#62;"), text);
    const policy = page.headers.get("content-security-policy")!.split("; ");
    assert.deepEqual(policy, [
      "default-src 'none'",
      "style-src 'unsafe-inline'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
    assert.equal(page.headers.get("cache-control"), "no-store");
    assert.equal(page.headers.get("referrer-policy"), "no-referrer");
    // Removed from a topic by invitation, whose name may be another since.
    await sql`select leave_topic(${NEWS}, ${BOB})`;
    await sql`update topics set visibility = 'INVITE', name = 'secret' where id = ${NEWS}`;
    for (const method of ["GET", "POST", "GET"]) {
      const page = await app.request(link, { method });
      assert.equal(page.status, 200);
      assert.ok(!(await page.text()).includes("secret"));
    }
    assert.deepEqual(await wanted(world), []);
    // While the database is away it says so, in HTML as well, and when to come back.
    await sql.end();
    const away = await app.request(link, { method: "POST" });
    assert.deepEqual([away.status, away.headers.get("retry-after")], [503, "2"]);
    assert.match(away.headers.get("content-type")!, /html/);
  });
});
