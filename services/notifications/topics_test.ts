/** Topics over a real PostgreSQL: what their creators change, who sees them, lists and searches, and what happens at the same time. */

import assert from "node:assert/strict";
import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { Members } from "./members.ts";
import { migrations } from "./migrations/mod.ts";
import { TopicList } from "./topic_list.ts";
import { type Topic, type TopicChange, Topics } from "./topics.ts";

const [ANN, BOB, EVE] = ["a", "b", "e"].map((digit) => `00000000-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
];
const ALL = { subscribed: null, mine: null, search: "" };

interface Parts {
  readonly sql: Sql;
  readonly topics: Topics;
  readonly members: Members;
  readonly list: TopicList;
}

function withTopics(use: (parts: Parts) => Promise<void>): Promise<void> {
  return withDatabase(migrations, (sql) => {
    const topics = new Topics(sql);
    return use({ sql, topics, members: new Members(sql, topics), list: new TopicList(sql) });
  });
}

function hasCode(code: string, message?: RegExp) {
  return (error: { code?: string; message: string }) => {
    assert.equal(error.code, code, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

/** What was announced of a topic since it was asked last, in its order. */
async function announced(sql: Sql): Promise<string[]> {
  const rows = await sql<{ kind: string }[]>`delete from feed_pending returning kind`;
  return rows.map(({ kind }) => kind);
}

Deno.test("topics - have what they were given, within bounds, and 30 days PUBLIC by default", () =>
  withTopics(async ({ topics }) => {
    const plain = await topics.create({ name: " plain " }, ANN);
    assert.deepEqual([plain.name, plain.retentionDays, plain.visibility, plain.status], [
      "plain",
      30,
      "PUBLIC",
      "ACTIVE",
    ]);
    const nulls = await topics.create({ name: "nulls", retentionDays: null, visibility: null }, ANN);
    assert.deepEqual([nulls.retentionDays, nulls.visibility], [30, "PUBLIC"]);
    for (const retentionDays of [1, 3_650]) {
      const topic = await topics.create({ name: `${retentionDays}`, retentionDays, visibility: "INVITE" }, ANN);
      assert.deepEqual([topic.retentionDays, topic.visibility], [retentionDays, "INVITE"]);
      assert.deepEqual(await topics.one(topic.id, ANN), topic);
    }
    for (const retentionDays of [0, -1, 3_651, 2 ** 31 - 1]) {
      const wrong = hasCode("BAD_USER_INPUT", new RegExp(`retentionDays is ${retentionDays}; .* 1 to 3650`));
      await assert.rejects(topics.create({ name: "wrong", retentionDays }, ANN), wrong);
      await assert.rejects(topics.change(plain.id, ANN, { retentionDays }), wrong);
    }
    await assert.rejects(topics.change(plain.id, ANN, { name: " " }), hasCode("BAD_USER_INPUT"));
    await assert.rejects(topics.change(plain.id, ANN, { name: "NULLS" }), hasCode("CONFLICT"));
    assert.deepEqual(await topics.one(plain.id, BOB), plain);
  }));

Deno.test("topics - a change keeps what isn't given, and is announced where there is one", () =>
  withTopics(async ({ sql, topics }) => {
    let topic: Topic = await topics.create({ name: "news" }, ANN);
    assert.deepEqual(await announced(sql), []);
    const changes: TopicChange[] = [
      { name: "News" },
      { name: null, retentionDays: 7, visibility: null },
      { visibility: "INVITE" },
      { status: "INACTIVE" },
      { name: "newer", retentionDays: 8, visibility: "PUBLIC" },
    ];
    for (const change of changes) {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null));
      for (const expected of [["topic"], []]) {
        assert.deepEqual(await topics.change(topic.id, ANN, change), topic = { ...topic, ...given });
        assert.deepEqual(await topics.one(topic.id, ANN), topic);
        assert.deepEqual(await announced(sql), expected, JSON.stringify(change));
      }
    }
    assert.deepEqual(await topics.change(topic.id.toUpperCase(), ANN, {}), topic);
    await topics.create({ name: "other" }, ANN);
    await assert.rejects(topics.change(topic.id, ANN, { name: "other", retentionDays: 9 }), hasCode("CONFLICT"));
    assert.deepEqual([await topics.one(topic.id, ANN), await announced(sql)], [topic, []]);
  }));

Deno.test("topics - a deleted one is gone for everybody, once, and its name is free", () =>
  withTopics(async ({ sql, topics, members, list }) => {
    const { id } = await topics.create({ name: "news" }, ANN);
    await members.join(id, BOB);
    await assert.rejects(topics.delete(id, BOB), hasCode("FORBIDDEN"));
    assert.deepEqual(await announced(sql), []);
    const twice = await Promise.allSettled([topics.delete(id, ANN), topics.delete(id, ANN)]);
    assert.deepEqual(twice.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.deepEqual(await announced(sql), ["delete"]);
    for (const viewer of [ANN, BOB, EVE]) {
      for (
        const ask of [
          () => topics.one(id, viewer),
          () => topics.delete(id, viewer),
          () => topics.change(id, viewer, { name: "x" }),
          () => members.join(id, viewer),
          () => members.leave(id, viewer),
          () => members.invite(id, viewer, [EVE]),
          () => members.remove(id, viewer, BOB),
        ]
      ) {
        await assert.rejects(ask, hasCode("NOT_FOUND"));
      }
      assert.equal(await topics.find(id, viewer), null);
      assert.equal(await topics.findByName("news", viewer), null);
      for (const subscribed of [null, true, false]) {
        for (const search of ["", "news"]) {
          assert.equal((await list.page(viewer, { ...ALL, subscribed, search }, null, 10)).length, 0);
        }
      }
    }
    const again = await topics.create({ name: "NEWS" }, EVE);
    assert.equal((await topics.findByName("news", BOB))?.id, again.id);
  }));

Deno.test("topics - an INVITE one is there for its creator, the invited and its subscribers alone", () =>
  withTopics(async ({ topics, members, list }) => {
    const hidden = await topics.create({ name: "hidden", visibility: "INVITE" }, ANN);
    const sees = async (viewer: string) => {
      const pages = ["", "HIDD"].map((search) => list.page(viewer, { ...ALL, search }, null, 10));
      const all = [
        await topics.find(hidden.id, viewer),
        await topics.findByName("Hidden", viewer),
        ...(await Promise.all(pages)).map((page) => page[0] ?? null),
      ].map((topic) => topic !== null);
      assert.equal(new Set(all).size, 1, JSON.stringify(all));
      return all[0];
    };
    const whoSees = async () => await Promise.all([ANN, BOB, EVE].map(sees));

    assert.deepEqual(await whoSees(), [true, false, false]);
    await assert.rejects(members.join(hidden.id, BOB), hasCode("NOT_FOUND"));
    await assert.rejects(members.invite(hidden.id, BOB, [BOB]), hasCode("NOT_FOUND"));
    await members.invite(hidden.id, ANN, [BOB, BOB.toUpperCase(), BOB]);
    await members.invite(hidden.id, ANN, [BOB]);
    assert.deepEqual(await whoSees(), [true, true, false]);
    await assert.rejects(members.invite(hidden.id, BOB, [EVE]), hasCode("FORBIDDEN"));

    await members.join(hidden.id, BOB);
    await members.leave(hidden.id, BOB);
    assert.deepEqual(await whoSees(), [true, true, false], "an invitation outlasts a stay");
    await members.join(hidden.id, BOB);
    for (let again = 0; again < 2; again++) await members.remove(hidden.id, ANN, BOB);
    assert.deepEqual(await whoSees(), [true, false, false]);
    await assert.rejects(members.join(hidden.id, BOB), hasCode("NOT_FOUND"));
    await assert.rejects(members.leave(hidden.id, BOB), hasCode("NOT_FOUND"));
    await members.join(hidden.id, ANN);
  }));

Deno.test("topics - one that becomes INVITE keeps its subscribers, until they leave", () =>
  withTopics(async ({ topics, members, list }) => {
    const { id } = await topics.create({ name: "news" }, ANN);
    await members.join(id, BOB);
    await topics.change(id, ANN, { visibility: "INVITE" });
    assert.equal(await topics.find(id, EVE), null);
    assert.equal((await members.join(id, BOB)).id, id);
    assert.deepEqual((await list.page(BOB, { ...ALL, subscribed: true }, null, 10)).map((topic) => topic.id), [id]);
    assert.deepEqual((await members.subscribers([id], null, 10)).get(id), [BOB]);
    assert.equal((await members.leave(id, BOB)).id, id);
    assert.equal(await topics.find(id, BOB), null);
    assert.deepEqual((await topics.known([id], BOB)).map((topic) => topic?.name), ["news"], "names what he received");
    assert.deepEqual(await topics.known([id, "x", newId()], EVE), [null, null, null]);
  }));

Deno.test("topics - nobody joins behind a change to INVITE, a removal or a deletion, however close", () =>
  withTopics(async ({ sql, topics, members }) => {
    for (let turn = 0; turn < 30; turn++) {
      const { id } = await topics.create({ name: `${turn}`, visibility: turn % 3 === 1 ? "INVITE" : "PUBLIC" }, ANN);
      await members.invite(id, ANN, [BOB]);
      const end = [
        () => topics.change(id, ANN, { visibility: "INVITE" }),
        () => members.remove(id, ANN, BOB),
        () => topics.delete(id, ANN),
      ][turn % 3]!;
      const joining = Promise.allSettled(Array.from({ length: 4 }, () => members.join(id, turn % 3 === 1 ? BOB : EVE)));
      await end();
      const before = await sql`select joined from subscriptions where topic_id = ${id} and "left" is null`;
      await joining;
      const after = await sql`select joined from subscriptions where topic_id = ${id} and "left" is null`;
      assert.deepEqual([...after], [...before], `turn ${turn}`);
    }
  }));

Deno.test("topics - a change to INVITE, a removal and a deletion wait for a join that is under way", () =>
  withTopics(async ({ sql, topics, members }) => {
    const ends: ((id: string) => Promise<unknown>)[] = [
      (id) => topics.change(id, ANN, { visibility: "INVITE" }),
      (id) => members.remove(id, ANN, BOB),
      (id) => topics.delete(id, ANN),
    ];
    for (const [turn, end] of ends.entries()) {
      const { id } = await topics.create({ name: `${turn}` }, ANN);
      let state = "under way";
      let ending: Promise<unknown> | undefined;
      await sql.begin(async (transaction) => {
        await transaction`select join_topic(${id}, ${BOB})`;
        ending = end(id).then(() => state = "done");
        while (state === "under way") if (await isWaiting(sql)) state = "waits";
        assert.equal(state, "waits", `turn ${turn}`);
      });
      await ending;
      const subscribers = (await members.subscribers([id], null, 10)).get(id);
      assert.deepEqual(subscribers, turn === 1 ? [] : [BOB]);
    }
  }));

async function isWaiting(sql: Sql): Promise<boolean> {
  const waiting = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return waiting.length > 0;
}

Deno.test("topics - invitations and removals take ids, at most 1,000, of users that need not exist", () =>
  withTopics(async ({ sql, topics, members }) => {
    const { id } = await topics.create({ name: "news" }, ANN);
    const many = Array.from({ length: 1_001 }, () => newId());
    await assert.rejects(members.invite(id, ANN, many), hasCode("BAD_USER_INPUT", /at most 1000/));
    for (const bad of ["", "x", "\0", `${ANN}0`]) {
      await assert.rejects(members.invite(id, ANN, [BOB, bad]), hasCode("BAD_USER_INPUT"));
      await assert.rejects(members.remove(id, ANN, bad), hasCode("BAD_USER_INPUT"));
    }
    await assert.rejects(members.remove(id, BOB, EVE), hasCode("FORBIDDEN"));
    assert.equal((await sql`select from invitations`).length, 0);
    await members.invite(id, ANN, many.slice(1));
    await members.invite(id, ANN, []);
    await members.remove(id, ANN, newId());
    assert.equal((await sql`select from invitations`).length, 1_000);
  }));

Deno.test("topics - subscribers come page by page in the order of their ids, each topic's own", () =>
  withTopics(async ({ topics, members }) => {
    const [news, sports] = await Promise.all(["news", "sports"].map((name) => topics.create({ name }, ANN)));
    const ids = Array.from({ length: 7 }, () => newId()).sort();
    for (const id of ids.toReversed()) await members.join(news!.id, id);
    await members.join(sports!.id, ids[6]!);
    await members.leave(news!.id, ids[3]!);
    const pages: string[][] = [];
    for (let after: string | null = null; pages.length === 0 || pages.at(-1)!.length > 0;) {
      pages.push((await members.subscribers([news!.id], after, 4)).get(news!.id)!);
      after = pages.at(-1)!.at(-1) ?? null;
    }
    assert.deepEqual(pages, [[ids[0], ids[1], ids[2], ids[4]], [ids[5], ids[6]], []]);
    const both = await members.subscribers([sports!.id, news!.id], ids[4]!, 1);
    assert.deepEqual([...both], [[sports!.id, [ids[6]]], [news!.id, [ids[5]]]]);
  }));

Deno.test("topics - those of one creator are a list of their own, of either visibility, searched and page by page", () =>
  withTopics(async ({ topics, members, list }) => {
    const make = async (name: string, visibility: "PUBLIC" | "INVITE", creator: string) =>
      (await topics.create({ name, visibility }, creator)).id;
    const [news, secret] = [await make("news", "PUBLIC", ANN), await make("secret", "INVITE", ANN)];
    const [others, gone] = [await make("new others", "PUBLIC", BOB), await make("gone", "PUBLIC", ANN)];
    await topics.delete(gone, ANN);
    for (const id of [news, others]) await members.join(id, ANN);
    const found = async (filter: Partial<typeof ALL> | Record<string, unknown>, after: string | null = null) =>
      (await list.page(ANN, { ...ALL, ...filter }, after, 10)).map(({ id }) => id);
    assert.deepEqual(await found({ mine: true }), [secret, news]);
    assert.deepEqual(await found({ mine: true }, secret), [news]);
    assert.deepEqual(await found({ mine: true, search: "new" }), [news]);
    assert.deepEqual(await found({ mine: true, subscribed: true }), [news]);
    assert.deepEqual(await found({ mine: true, subscribed: false }), [secret]);
    assert.deepEqual(await found({ mine: false }), [others]);
  }));

Deno.test("topics - are found by any part of their name, without wildcards, newest first, page by page", () =>
  withTopics(async ({ sql, topics, members, list }) => {
    const names = ["Lunch in Berlin", "LUNCHES", "100% sure", "1000 sure", "a_b", "axb", "back\\slash", "Ärger", "x"];
    const made: Topic[] = [];
    for (const [at, name] of names.entries()) {
      made.push(await topics.create({ name, visibility: at % 2 === 0 ? "PUBLIC" : "INVITE" }, ANN));
    }
    made.sort((a, b) => a.id < b.id ? 1 : -1);
    const found = async (list: TopicList, search: string, subscribed: boolean | null = null) => {
      const pages: Topic[] = [];
      for (let after: string | null = null;;) {
        const page = await list.page(ANN, { ...ALL, subscribed, search }, after, 2);
        if (page.length === 0) return pages;
        pages.push(...page);
        after = page.at(-1)!.id;
      }
    };
    const expected = (...wanted: string[]) => made.filter(({ name }) => wanted.includes(name));
    const searches: readonly (readonly [string, readonly string[]])[] = [
      ["", names],
      ["lunch", ["LUNCHES", "Lunch in Berlin"]],
      ["NCH", ["LUNCHES", "Lunch in Berlin"]],
      ["0% ", ["100% sure"]],
      ["_", ["a_b"]],
      ["\\", ["back\\slash"]],
      ["ärg", ["Ärger"]],
      ["x", ["x", "axb"]],
      ["nothing", []],
    ];
    const all = async (list: TopicList) => {
      for (const [search, wanted] of searches) assert.deepEqual(await found(list, search), expected(...wanted), search);
    };
    await all(list);
    const joined = ["Lunch in Berlin", "LUNCHES", "a_b"];
    for (const { id } of expected(...joined)) await members.join(id, ANN);
    assert.deepEqual(await found(list, "lunch", true), expected("LUNCHES", "Lunch in Berlin"));
    assert.deepEqual(await found(list, "", true), expected(...joined));
    assert.deepEqual(await found(list, "r", false), expected("Ärger", "1000 sure", "100% sure"));
    // Where PostgreSQL hasn't got it, the same is found.
    await sql`drop extension pg_trgm cascade`;
    await all(new TopicList(sql));
  }));

/** How many topics others have, half of them out of sight. */
const MANY = 50_000;

Deno.test(`topics - a page and a search among ${MANY} read what they show, and few more`, () =>
  withTopics(async ({ sql }) => {
    await sql`insert into topics (id, name, created_by, visibility)
      select ('0190' || lpad(to_hex(n), 8, '0') || '70008000000000000000')::uuid,
        'topic ' || n || case when n <= 5 then ' needle' else '' end, ${ANN},
        case when n > ${MANY / 2}::int then 'INVITE' else 'PUBLIC' end from generate_series(1, ${MANY}::int) n`;
    await sql`analyze topics`;
    const read = (search: string) =>
      sql.begin(async (transaction) => {
        const before = await rowsRead(transaction as unknown as Sql);
        const page = await new TopicList(transaction as unknown as Sql).page(BOB, { ...ALL, search }, null, 51);
        return [page.length, await rowsRead(transaction as unknown as Sql) - before] as const;
      });
    // Plans are kept for a statement that is asked often.
    for (let again = 0; again < 8; again++) {
      for (const [search, length, most] of [["", 51, 200], ["topic", 51, 2_200], ["needle", 5, 2_200]] as const) {
        const [shown, rows] = await read(search) as [number, number];
        assert.equal(shown, length, search);
        assert.ok(rows < most, `${search}: ${rows} rows`);
      }
    }
  }));

/** How many rows of topics this connection has read, but for those that are with the server's statistics already. */
async function rowsRead(sql: Sql): Promise<number> {
  const [read] = await sql<{ rows: number }[]>`
    select (seq_tup_read + idx_tup_fetch)::int as rows from pg_stat_xact_user_tables where relname = 'topics'`;
  return read!.rows;
}
