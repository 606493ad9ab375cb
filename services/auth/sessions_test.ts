import assert from "node:assert/strict";
import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { MIGRATIONS } from "./migrations/mod.ts";
import {
  beginSession,
  endOtherSessions,
  endSession,
  endSessionOf,
  findSession,
  keepRemovingExpired,
  openSessions,
  removeExpired,
  SESSIONS_A_USER,
} from "./sessions.ts";
import { addUser } from "./store.ts";

function withUser(use: (sql: Sql, userId: string) => Promise<void>): Promise<void> {
  return withDatabase(MIGRATIONS, async (sql) => {
    const id = newId();
    await addUser(sql, { id, email: "ann@example.com", emailKey: "ann@example.com", passwordHash: "" });
    await use(sql, id);
  });
}

async function expire(sql: Sql, sessionId: string): Promise<void> {
  await sql`update sessions set expires_at = now() - interval '1 second' where id = ${sessionId}`;
}

Deno.test("sessions - a token has 256 random bits, and only its SHA-256 is stored", () =>
  withUser(async (sql, userId) => {
    const { token } = await beginSession(sql, userId, 60);
    assert.equal(Uint8Array.fromBase64(token, { alphabet: "base64url" }).byteLength, 32);
    const [stored] = await sql`select s::text as row, encode(token_hash, 'hex') as hash from sessions s`;
    assert.ok(!stored!.row.includes(token));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
    assert.equal(stored!.hash, new Uint8Array(digest).toHex());
  }));

Deno.test("sessions - a user may have several, and ending one leaves the others", () =>
  withUser(async (sql, userId) => {
    const [phone, desk] = [await beginSession(sql, userId, 60), await beginSession(sql, userId, 60)];
    const session = await findSession(sql, phone.token);
    assert.equal(session!.userId, userId);
    assert.deepEqual(session!.expiresAt, phone.expiresAt);
    assert.equal(await endSession(sql, session!.id), true);
    assert.equal(await endSession(sql, session!.id), false);
    assert.equal(await findSession(sql, phone.token), undefined);
    assert.ok(await findSession(sql, desk.token));
  }));

Deno.test("sessions - a token that was never given out is nobody's", () =>
  withUser(async (sql, userId) => {
    const { token } = await beginSession(sql, userId, 60);
    for (const wrong of ["", "x", `${token}x`, token.slice(1), token.toLowerCase(), `${token}\0`, "A".repeat(43)]) {
      assert.equal(await findSession(sql, wrong), undefined, JSON.stringify(wrong));
    }
  }));

Deno.test("sessions - an expired one is over at once, though it is removed later", () =>
  withUser(async (sql, userId) => {
    const [old, young] = [await beginSession(sql, userId, 60), await beginSession(sql, userId, 60)];
    const { id } = (await findSession(sql, old.token))!;
    await expire(sql, id);
    assert.equal(await findSession(sql, old.token), undefined);
    assert.equal(await endSession(sql, id), false);
    assert.equal(await removeExpired(sql), 1);
    assert.equal(await removeExpired(sql), 0);
    assert.ok(await findSession(sql, young.token));
  }));

Deno.test("sessions - a user sees their own and ends one or all others, and nobody else's", () =>
  withUser(async (sql, userId) => {
    const bobId = newId();
    await addUser(sql, { id: bobId, email: "bob@example.com", emailKey: "bob@example.com", passwordHash: "" });
    const begin = async (id: string) => (await findSession(sql, (await beginSession(sql, id, 60)).token))!.id;
    const [old, desk, phone] = [await begin(userId), await begin(userId), await begin(userId)];
    const bobs = await begin(bobId);
    await expire(sql, old);
    const mine = async () => (await openSessions(sql, userId)).map(({ id }) => id);
    assert.deepEqual(await mine(), [phone, desk]);
    for (const wrong of [bobs, old, newId(), "x"]) assert.equal(await endSessionOf(sql, userId, wrong), false, wrong);
    assert.equal(await endSessionOf(sql, userId, phone), true);
    assert.deepEqual(await mine(), [desk]);
    await begin(userId);
    assert.equal(await endOtherSessions(sql, userId, desk), 1);
    assert.deepEqual(await mine(), [desk]);
    assert.equal((await openSessions(sql, bobId)).length, 1);
  }));

Deno.test("sessions - the 101st of a user ends the oldest", () =>
  withUser(async (sql, userId) => {
    const oldest = await beginSession(sql, userId, 60);
    const second = await beginSession(sql, userId, 60);
    for (let count = 2; count < SESSIONS_A_USER; count++) await beginSession(sql, userId, 60);
    assert.ok(await findSession(sql, oldest.token));
    await beginSession(sql, userId, 60);
    assert.equal(await findSession(sql, oldest.token), undefined);
    assert.ok(await findSession(sql, second.token));
    assert.equal((await sql`select 1 from sessions`).length, SESSIONS_A_USER);
  }));

Deno.test("sessions - the removal goes on in batches, and ends with its service", () =>
  withUser(async (sql, userId) => {
    await sql`insert into sessions (id, user_id, token_hash, expires_at)
      select gen_random_uuid(), ${userId}, sha256(n::text::bytea), now() - interval '1 second' from generate_series(1, 2500) n`;
    const stopping = new AbortController();
    const errors: unknown[] = [];
    const removing = keepRemovingExpired(sql, stopping.signal, (error) => errors.push(error));
    while ((await sql`select 1 from sessions limit 1`).length > 0);
    stopping.abort();
    await removing;
    assert.deepEqual(errors, []);
  }));
