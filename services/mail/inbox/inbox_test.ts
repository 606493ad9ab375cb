/** The development inbox over a real PostgreSQL: what comes by SMTP, what is too much, who serves, and what the routes show. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import type { Sql } from "../../../kit/database.ts";
import { createApp } from "../../../kit/http.ts";
import { withDatabase } from "../../../kit/testing/database.ts";
import { delay } from "../../../kit/time.ts";
import inbox from "../migrations/000002_inbox.sql" with { type: "text" };
import { DevelopmentInbox } from "./development_inbox.ts";
import { CONNECTIONS_LIMIT, MAIL_LIMIT_BYTES, Receiver, RECIPIENTS_LIMIT } from "./receiver.ts";
import { addInboxRoutes } from "./routes.ts";
import { findMail, keepMail, KEPT_BYTES, KEPT_MAILS, listMails } from "./store.ts";
import { SmtpClient } from "./testing/smtp_client.ts";

const SECRET = "a secret of at least thirty-two characters";
const MIGRATIONS = [{ name: "000002_inbox", sql: inbox }];
const LOCAL = { remoteAddr: { hostname: "127.0.0.1" } };
const ELSEWHERE = { remoteAddr: { hostname: "192.0.2.7" } };
const log = getLogger("test");

function withReceiver(use: (port: number, sql: Sql) => Promise<void>, mailLimitMs?: number): Promise<void> {
  return withDatabase(MIGRATIONS, async (sql) => {
    const receiver = new Receiver({ sql, log, mailLimitMs });
    await receiver.listen(0, "127.0.0.1");
    try {
      await use(receiver.port, sql);
    } finally {
      await receiver.close();
    }
  });
}

function routes(sql: Sql, receives = true) {
  const app = createApp({ service: "mail", secret: SECRET, log, readyChecks: new Map(), statusPage: [] });
  addInboxRoutes(app, { sql, secret: SECRET, receives });
  return (path: string, environment: unknown = LOCAL, headers: Record<string, string> = {}) =>
    app.request(path, { headers }, environment as never);
}

async function put(sql: Sql, source: string, more: Partial<Parameters<typeof keepMail>[1]> = {}): Promise<number> {
  const bytes = new TextEncoder().encode(source.replaceAll(/\r?\n/g, "\r\n"));
  await keepMail(sql, {
    sender: "notifyx@localhost",
    recipients: ["ann@example.com"],
    fromText: "Notifyx",
    subject: "Hello",
    source: bytes,
    ...more,
  });
  return (await listMails(sql, ""))[0]!.id;
}

Deno.test("development inbox - keeps what comes as it came, with its envelope and what its head says", () =>
  withReceiver(async (port, sql) => {
    const source = [
      'From: "J=?utf-8?Q?=C3=B6?=rg, Notifyx" <notifyx@localhost>',
      "To: someone else <eve@example.com>",
      "Subject: =?utf-8?Q?Soup_=E2=80=A8is?=",
      " =?utf-8?B?8J+mig==?=",
      "",
      "..two dots",
      ".",
      "Bcc: is no header here",
      "é \u2028 \t",
    ].join("\r\n");
    using client = await SmtpClient.greeted(port);
    assert.match(await client.send(source, ["ann@example.com", "bob@example.com"]), /^250 kept/);
    assert.match(await client.send("no head at all", ["ann@example.com"], ""), /^250 kept/);

    const [second, first] = await listMails(sql, "");
    assert.deepEqual(
      [first!.sender, first!.recipients, first!.fromText, first!.subject],
      ["notifyx@localhost", ["ann@example.com", "bob@example.com"], '"Jörg, Notifyx" <notifyx@localhost>', "Soup is🦊"],
    );
    assert.deepEqual([second!.sender, second!.subject, second!.fromText], ["", "", ""]);
    const kept = await findMail(sql, first!.id);
    assert.equal(new TextDecoder().decode(kept!.source), `${source}\r\n`);
    assert.deepEqual([kept!.newer, kept!.older, kept!.size], [second!.id, null, kept!.source.byteLength]);
  }));

Deno.test("development inbox - refuses what is too much, and goes on", () =>
  withReceiver(async (port, sql) => {
    using client = await SmtpClient.greeted(port);
    assert.match(await client.say(`MAIL FROM:<a@example.com> SIZE=${MAIL_LIMIT_BYTES + 1}`), /^552 /);
    const line = `${"x".repeat(76)}\r\n`;
    assert.match(await client.send(line.repeat(Math.ceil(MAIL_LIMIT_BYTES / line.length) + 1)), /^552 /);
    const most = Array.from({ length: RECIPIENTS_LIMIT + 1 }, (_, nth) => `user${nth}@example.com`);
    assert.match(await client.send("Subject: many\r\n\r\n", most), /^452 too many recipients/);
    await client.say("RSET");
    assert.match(await client.say("AUTH PLAIN AGEAYg=="), /^502 |^500 /);
    assert.match(await client.say(`${"x".repeat(20_000)}`), /^421 /);

    using again = await SmtpClient.greeted(port);
    assert.match(await again.send("Subject: good\r\n\r\nx", most.slice(0, RECIPIENTS_LIMIT)), /^250 /);
    assert.deepEqual((await listMails(sql, "")).map(({ subject }) => subject), ["good"]);

    const others = await Promise.all(Array.from({ length: CONNECTIONS_LIMIT - 1 }, () => SmtpClient.greeted(port)));
    using oneMore = await SmtpClient.connect(port);
    assert.match(await oneMore.answer(), /^421 /);
    for (const other of others) other[Symbol.dispose]();

    await sql`drop table inbox_mails`;
    assert.match(await again.send("Subject: lost\r\n\r\nx"), /^451 not kept, try again/);
  }));

Deno.test("development inbox - closes a connection that brings no mail in time, however busy it looks", () =>
  withReceiver(async (port, sql) => {
    using slow = await SmtpClient.greeted(port);
    using good = await SmtpClient.greeted(port);
    await slow.say("MAIL FROM:<a@example.com>");
    await slow.say("RCPT TO:<b@example.com>");
    await slow.say("DATA");
    const end = slow.answer();
    let ended = false;
    end.finally(() => ended = true);
    // Each byte is one more reason not to call it silent.
    while (!ended) {
      await slow.write("x").catch(() => {});
      assert.match(await good.send("Subject: in time\r\n\r\n"), /^250 /);
      await delay(20);
    }
    assert.match(await end, /^421 no mail for too long/);
    assert((await listMails(sql, "")).every(({ subject }) => subject === "in time"));
  }, 400));

Deno.test("development inbox - the newest are kept, by number and by size, whoever writes at the same time", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const subjects = Array.from({ length: KEPT_MAILS + 40 }, (_, nth) => `${nth}`);
    for (const subject of subjects.slice(0, KEPT_MAILS)) await put(sql, "x", { subject });
    await Promise.all(subjects.slice(KEPT_MAILS).map((subject) => put(sql, "x", { subject })));
    await put(sql, "x", { subject: "last" });
    const kept = await listMails(sql, "");
    assert.equal(kept.length, KEPT_MAILS);
    assert.deepEqual([kept[0]!.subject, kept.at(-1)!.subject], ["last", "41"]);
    assert.equal((await sql`select count(*) from inbox_mails`)[0]!.count, KEPT_MAILS);

    const source = new Uint8Array(KEPT_BYTES / 4);
    for (let nth = 0; nth < 5; nth++) await put(sql, "", { source, subject: `large ${nth}` });
    assert.deepEqual((await listMails(sql, "")).map(({ subject }) => subject), [
      "large 4",
      "large 3",
      "large 2",
      "large 1",
    ]);
  }));

Deno.test("development inbox - one node serves, and when it stops another takes over", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const node = (port: number) => new DevelopmentInbox({ sql, log, host: "127.0.0.1", port });
    const first = node(0);
    await first.start();
    const port = first.port!;
    const second = node(port);
    await second.start();
    assert.equal(second.port, undefined);

    using client = await SmtpClient.greeted(port);
    await client.say("MAIL FROM:<a@example.com>");
    await client.say("RCPT TO:<b@example.com>");
    await client.say("DATA");
    await client.write("Subject: under way\r\n\r\n");
    const stopped = first.stop();
    await client.write("x\r\n.\r\n");
    assert.match(await client.answer(), /^250 /);
    await stopped;
    while (second.port === undefined) await delay(20);
    using other = await SmtpClient.greeted(port);
    assert.match(await other.send("Subject: taken over\r\n\r\nx"), /^250 /);
    assert.deepEqual((await listMails(sql, "")).map(({ subject }) => subject), ["taken over", "under way"]);
    await second.stop();
    await assert.rejects(SmtpClient.connect(port));
  }));

Deno.test("inbox - is open here, for members from elsewhere, and shows what there is", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const get = routes(sql);
    assert.match(await (await get("/inbox")).text(), /No mail yet/);
    assert.match(await (await routes(sql, false)("/inbox")).text(), /NOTIFYX_SMTP_URL/);

    const one = await put(sql, "Content-Type: text/html; charset=utf-8\n\n<p>Soup &amp; <b>bread</b></p>", {
      subject: "<b>soup</b>",
    });
    const two = await put(sql, "\n1 < 2\u2028three", { recipients: ["bob@example.com"], sender: "eve@example.com" });
    for (
      const path of [
        "/inbox",
        ...["", "/html", "/source"].map((end) => `/inbox/${one}${end}`),
        `/inbox/${two}/text`,
      ]
    ) {
      assert.equal((await get(path)).status, 200, path);
      assert.equal((await get(path, ELSEWHERE)).status, 401, path);
      assert.equal((await get(path, LOCAL, { "x-forwarded-for": "192.0.2.7" })).status, 401, path);
      assert.equal((await get(path, ELSEWHERE, { authorization: `Bearer ${SECRET}` })).status, 200, path);
    }
    const list = await (await get("/inbox")).text();
    assert.match(list, /&#60;b&#62;soup&#60;\/b&#62;/);
    assert.match(list, /bob@example\.com/);
    const found = await (await get("/inbox?address=BOB@")).text();
    assert(found.includes(`/inbox/${two}"`) && !found.includes(`/inbox/${one}"`));
    for (const address of ["nobody@", "%", "_", "'", "\\", "%00", "%ff", "x".repeat(500)]) {
      const none = await get(`/inbox?address=${encodeURI(address)}`);
      assert.equal(none.status, 200);
      assert.match(await none.text(), /No mail from or for/, address);
    }
    assert.match(await (await get('/inbox?address="><script>')).text(), /value="&#34;&#62;&#60;script&#62;"/);

    const html = await get(`/inbox/${one}/html`);
    assert.match(await html.text(), /<p>Soup &amp; <b>bread<\/b><\/p>/);
    assert.match(html.headers.get("content-security-policy")!, /^sandbox allow-popups .*default-src 'none'/);
    assert.match(
      await (await get(`/inbox/${one}`)).text(),
      /<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"/,
    );
    assert.match(await (await get(`/inbox/${two}`)).text(), /<pre class="words">1 &#60; 2\nthree<\/pre>/);
    assert.match(await (await get(`/inbox/${one}?view=text`)).text(), /no such part/);
    const source = await get(`/inbox/${two}/source`);
    assert.equal(source.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(source.headers.get("x-content-type-options"), "nosniff");
    assert.equal(await source.text(), "\r\n1 < 2\u2028three");
    for (const id of ["0", "-1", "1.5", "x", "999", "1e3", "9".repeat(15), "9".repeat(30), "%00"]) {
      for (const end of ["", "/html", "/text", "/source"]) {
        assert.equal((await get(`/inbox/${id}${end}`)).status, 404, id);
      }
    }
  }));

Deno.test("inbox - a mail of any bytes can be looked at", () =>
  withDatabase(MIGRATIONS, async (sql) => {
    const get = routes(sql);
    const boundary = `Content-Type: multipart/mixed; boundary=b\r\n\r\n`;
    const sources = [
      new Uint8Array(),
      crypto.getRandomValues(new Uint8Array(50_000)),
      new Uint8Array(100_000).fill(0x0a),
      `${boundary}${"--b\r\n\r\n\r\n".repeat(50_000)}`,
      `${boundary}--b\r\n${boundary}`.repeat(2_000),
      `Content-Type: text/html\r\n\r\n${"<div>".repeat(20_000)}`,
      `Content-Type: text/html\r\n\r\n${"<b><i>".repeat(500_000)}`,
      `Content-Type: text/html\r\n\r\n${"<br>".repeat(500_000)}`,
      `Content-Type: text/html\r\n\r\n${"<a href='".repeat(20_000)}`,
      `Subject: ${"=?utf-8?Q?=E2?= ".repeat(5_000)}\r\n\r\n`,
      `${"X: y\r\n".repeat(50_000)}\r\n`,
      `Content-Type: text/html; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!`,
      `Content-Type: message/rfc822\r\n\r\n${"Content-Type: message/rfc822\r\n\r\n".repeat(1_000)}`,
    ].map((source) => typeof source === "string" ? new TextEncoder().encode(source) : source);
    for (const [nth, source] of sources.entries()) {
      const id = await put(sql, "", { source });
      for (const path of ["", "?view=html", "?view=text", "?view=source"]) {
        const started = performance.now();
        const response = await get(`/inbox/${id}${path}`);
        assert.equal(response.status, 200, `${nth} ${path}`);
        await response.body?.cancel();
        assert(performance.now() - started < 20_000, `${nth} ${path}: ${performance.now() - started} ms`);
      }
      assert.deepEqual(await (await get(`/inbox/${id}/source`)).bytes(), source, `${nth}`);
    }
  }));
