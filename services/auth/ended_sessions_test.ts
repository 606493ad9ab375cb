/** The order of the sessions that ended, over a real PostgreSQL: nothing committed is missed, whatever commits late. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { connect, type Sql } from "../../kit/database.ts";
import { createApp } from "../../kit/http.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { delay } from "../../kit/time.ts";
import { type EndedPage, EndedSessions, type Place } from "./ended_sessions.ts";
import { addEndedRoutes } from "./ended_stream.ts";
import { MIGRATIONS } from "./migrations/mod.ts";
import { beginSession, endSession, findSession, removeExpired, SESSIONS_A_USER } from "./sessions.ts";
import { addUser } from "./store.ts";

const SECRET = "a secret of at least thirty-two characters";
const LIMIT_MS = 5_000;

interface Auth {
  readonly sql: Sql;
  readonly url: string;
  readonly userId: string;
  /** A new session, as its hash and its id. */
  begin(seconds?: number): Promise<{ hash: string; id: string }>;
  /** One more node of auth on the same database. */
  node(keepMs?: number): Promise<EndedSessions>;
}

function withAuth(use: (auth: Auth) => Promise<void>): Promise<void> {
  return withDatabase(MIGRATIONS, async (sql, url) => {
    const userId = newId();
    await addUser(sql, { id: userId, email: "ann@example.com", emailKey: "ann@example.com", passwordHash: "" });
    const nodes: EndedSessions[] = [];
    const auth: Auth = {
      sql,
      url,
      userId,
      async begin(seconds = 60) {
        const { token } = await beginSession(sql, userId, seconds);
        return { hash: await hashOf(token), id: (await findSession(sql, token))!.id };
      },
      async node(keepMs) {
        const node = new EndedSessions(sql, getLogger("test"), keepMs);
        await node.start();
        nodes.push(node);
        return node;
      },
    };
    try {
      await use(auth);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  });
}

async function hashOf(token: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))).toBase64();
}

/** Goes on behind `place` until `count` more have ended; their hashes in order, and where that is. */
async function follow(node: EndedSessions, place: Place, count: number) {
  const hashes: string[] = [];
  const giveUp = AbortSignal.timeout(LIMIT_MS);
  while (hashes.length < count) {
    const page: EndedPage = await node.next(place, LIMIT_MS, giveUp);
    assert.ok(!giveUp.aborted, `${hashes.length} of ${count} within ${LIMIT_MS} ms`);
    assert.equal(page.lost, false);
    page.ended.forEach(({ position }, at) => assert.equal(position, place.position + at + 1));
    hashes.push(...page.ended.map(({ hash }) => hash));
    place = page;
  }
  return { hashes, place };
}

Deno.test("ended sessions - logout, expiry, one login too many and a deleted user all say so, by the hash alone", () =>
  withAuth(async ({ sql, userId, begin, node }) => {
    const ended = await node();
    const start = await ended.page();
    const loggedOut = await begin();
    await endSession(sql, loggedOut.id);
    const expired = await begin();
    await sql`update sessions set expires_at = now() where id = ${expired.id}`;
    await removeExpired(sql);
    const oldest = await begin();
    for (let count = 1; count <= SESSIONS_A_USER; count++) await beginSession(sql, userId, 60);
    const { hashes, place } = await follow(ended, start, 3);
    assert.deepEqual(hashes, [loggedOut.hash, expired.hash, oldest.hash]);
    await sql`delete from users where id = ${userId}`;
    assert.equal((await follow(ended, place, SESSIONS_A_USER)).hashes.length, SESSIONS_A_USER);
    assert.equal(await endSession(sql, newId()), false);
    assert.equal((await sql`select from ended_pending`).length, 0);
  }));

Deno.test("ended sessions - one that commits late comes late, and is not missed by who has read what ended after it", () =>
  withAuth(async ({ sql, url, begin, node }) => {
    const ended = await node();
    const start = await ended.page();
    const [late, early] = [await begin(), await begin()];
    // By a serial, the order in which they were deleted, the late one would stand in front.
    const other = connect(url, "test", 1);
    try {
      const mayCommit = Promise.withResolvers<void>();
      const deleted = Promise.withResolvers<void>();
      const held = other.begin(async (transaction) => {
        await endSession(transaction as unknown as Sql, late.id);
        deleted.resolve();
        await mayCommit.promise;
      });
      await deleted.promise;
      assert.equal(await endSession(sql, early.id), true);
      const before = await follow(ended, start, 1);
      assert.deepEqual(before.hashes, [early.hash]);
      mayCommit.resolve();
      await held;
      assert.deepEqual((await follow(ended, before.place, 1)).hashes, [late.hash]);
    } finally {
      await other.end({ timeout: 1 });
    }
  }));

Deno.test("ended sessions - two nodes number at once, and a reader of either gets each once, with no gap", () =>
  withAuth(async ({ sql, userId, node }) => {
    const nodes = [await node(), await node()];
    const start = await nodes[0]!.page();
    await sql`insert into sessions (id, user_id, token_hash, expires_at)
      select gen_random_uuid(), ${userId}, sha256(n::text::bytea), now() + interval '1 hour' from generate_series(1, 1500) n`;
    const ids = (await sql<{ id: string }[]>`select id from sessions order by random()`).map(({ id }) => id);
    const readers = nodes.map((one) => follow(one, start, ids.length));
    // Singly, in transactions of some length, and many together.
    const ends = ids.slice(0, 200).map((id) => endSession(sql, id));
    ends.push(
      ...ids.slice(200, 220).map((id) =>
        sql.begin(async (transaction) => {
          await endSession(transaction as unknown as Sql, id);
          await delay(Math.random() * 50);
        }) as Promise<never>
      ),
    );
    assert.ok(await Promise.all(ends));
    await sql`delete from sessions where id = any(${ids.slice(220)})`;
    const [one, two] = await Promise.all(readers);
    assert.deepEqual(one!.hashes, two!.hashes);
    assert.equal(new Set(one!.hashes).size, ids.length);
    // Who changes over from one node to the other in the middle misses nothing either.
    const half = await follow(nodes[0]!, start, 700);
    const rest = await follow(nodes[1]!, half.place, ids.length - half.hashes.length);
    assert.deepEqual([...half.hashes, ...rest.hashes], one!.hashes);
  }));

Deno.test("ended sessions - an end is found by the poll where no notification came", () =>
  withAuth(async ({ sql, begin, node }) => {
    const { hash, id } = await begin();
    const ended = await node();
    const start = await ended.page();
    await sql.begin(async (transaction) => {
      await transaction`alter table sessions disable trigger note_ended_sessions`;
      await transaction`delete from sessions where id = ${id}`;
      await transaction`insert into ended_pending (token_hash) values (${Uint8Array.fromBase64(hash)})`;
      await transaction`alter table sessions enable trigger note_ended_sessions`;
    });
    assert.deepEqual((await follow(ended, start, 1)).hashes, [hash]);
  }));

Deno.test("ended sessions - who comes back after the pruning is told that something is lost, and who is in time is not", () =>
  withAuth(async ({ sql, begin, node }) => {
    const ended = await node(60_000);
    const start = await ended.page();
    for (let count = 0; count < 3; count++) await endSession(sql, (await begin()).id);
    const { place } = await follow(ended, start, 3);
    assert.equal(await ended.prune(), 0);
    await sql`update ended_sessions set numbered_at = now() - interval '2 minutes' where position <= ${
      place.position - 1
    }`;
    assert.equal(await ended.prune(), 2);
    assert.deepEqual(await ended.page(start), { ...place, ended: [], lost: true });
    assert.equal((await ended.page({ ...place, position: place.position - 1 })).ended.length, 1);
    await sql`update ended_sessions set numbered_at = now() - interval '2 minutes'`;
    assert.equal(await ended.prune(), 1);
    assert.equal((await ended.page({ ...place, position: place.position - 1 })).lost, true);
    assert.deepEqual(await ended.page(place), { ...place, ended: [], lost: false });
    // Another database, or one that was set back.
    assert.equal((await ended.page({ ...place, epoch: "another" })).lost, true);
    assert.equal((await ended.page({ ...place, position: place.position + 1 })).lost, true);
  }));

Deno.test("ended sessions - an ordinary role may do all of it", () =>
  withAuth(async ({ sql, begin, node }) => {
    const role = `notifyx_test_${crypto.randomUUID().slice(0, 8)}`;
    const { id } = await begin();
    const ended = await node();
    const start = await ended.page();
    await sql`create role ${sql(role)}`;
    try {
      await sql.begin(async (transaction) => {
        await transaction`grant all on all tables in schema public to ${sql(role)}`;
        await transaction`set local role ${sql(role)}`;
        await endSession(transaction as unknown as Sql, id);
        await transaction`select number_ended(10), ended_epoch()`;
        await transaction`reset role`;
        await transaction`revoke all on all tables in schema public from ${sql(role)}`;
      });
      await follow(ended, start, 1);
    } finally {
      await sql`drop role ${sql(role)}`;
    }
  }));

Deno.test("ended sessions - the stream says where it begins, what ends, and that it is alive", () =>
  withAuth(async ({ sql, begin, node }) => {
    const ended = await node(60_000);
    const stopping = new AbortController();
    const app = createApp({
      service: "auth",
      secret: SECRET,
      log: getLogger("test"),
      readyChecks: new Map(),
      statusPage: [],
    });
    addEndedRoutes(app, { sql, ended, secret: SECRET, stopping: stopping.signal });
    const headers = { authorization: `Bearer ${SECRET}` };
    /** The lines of a stream, one at a time. */
    const open = async (query: string) => {
      const response = await app.request(`/api/sessions/ended${query}`, { headers });
      assert.equal(response.status, 200);
      const reader = response.body!.getReader();
      const waiting: unknown[] = [];
      return async () => {
        while (waiting.length === 0) {
          const { done, value } = await reader.read();
          if (done) return undefined;
          waiting.push(...new TextDecoder().decode(value).trim().split("\n").map((line) => JSON.parse(line)));
        }
        // deno-lint-ignore no-explicit-any -- any of the lines
        return waiting.shift() as any;
      };
    };
    const next = await open("");
    const first = await next();
    assert.deepEqual([first.position, first.lost], [0, false]);
    const { hash, id } = await begin();
    await endSession(sql, id);
    assert.deepEqual(await next(), { position: 1, hash });
    assert.deepEqual(await next(), { position: 1 });
    const again = await open(`?after=0&epoch=${first.epoch}`);
    assert.deepEqual([await again(), await again()], [first, { position: 1, hash }]);
    for (const lost of ["?after=0", "?after=0&epoch=x", `?after=2&epoch=${first.epoch}`]) {
      assert.deepEqual(await (await open(lost))(), { position: 1, epoch: first.epoch, lost: true });
    }
    const wrong = await app.request("/api/sessions/ended?after=-1", { headers });
    assert.equal((await wrong.json()).code, "BAD_USER_INPUT");
    stopping.abort();
    for (const one of [next, again]) while (await one() !== undefined);

    const living = await begin();
    const ask = async (hashes: unknown) =>
      await (await app.request("/api/sessions/living", { method: "POST", headers, body: JSON.stringify({ hashes }) }))
        .json();
    const [row] = await sql`select expires_at as at from sessions where id = ${living.id}`;
    assert.deepEqual(await ask([hash, living.hash, living.hash]), {
      living: [{ hash: living.hash, expiresAt: row!.at.toISOString() }],
    });
    assert.deepEqual(await ask([]), { living: [] });
    for (const hashes of [["x"], [`${living.hash}=`], Array(1_001).fill(hash), "x", null]) {
      assert.equal((await ask(hashes)).code, "BAD_USER_INPUT");
    }
    await sql`update sessions set expires_at = now()`;
    assert.deepEqual(await ask([living.hash]), { living: [] });
    assert.equal((await app.request("/api/sessions/ended")).status, 401);
  }));
