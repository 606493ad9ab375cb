/**
 * Sessions: opaque random tokens, of which only the SHA-256 is stored. A user may have several, each ends by itself, by logout, or by age.
 * It ends by its row being deleted; a trigger says so to ended_sessions.ts, whoever deletes it.
 */

import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";
import { delay, SECOND } from "../../kit/time.ts";

/** The most sessions of one user; at a further login the oldest ends. */
export const SESSIONS_A_USER = 100;
const TOKEN_BYTES = 32;
/** 256 bits as base64url. */
const TOKEN = /^[\w-]{43}$/;
/** Between two looks for expired sessions, in milliseconds: a gateway whose clock is slow hears of an expiry by them. */
const SWEEP_PAUSE_MS = SECOND / 2;
/** How many expired sessions one statement removes, so that none holds locks for long. */
const SWEEP_BATCH = 1_000;

export interface NewSession {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly expiresAt: Date;
}

/** Begins a session of `seconds`; its token is known to nobody but the caller. */
export async function beginSession(sql: Sql, userId: string, seconds: number): Promise<NewSession> {
  const token = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
  const [row] = await sql<{ expiresAt: Date }[]>`
    with ended as (
      delete from sessions where id in (
        select id from sessions where user_id = ${userId} order by created_at desc, id desc offset ${
    SESSIONS_A_USER - 1
  })
    )
    insert into sessions (id, user_id, token_hash, expires_at)
    values (${newId()}, ${userId}, ${await sha256(token)}, now() + make_interval(secs => ${seconds}))
    returning expires_at as "expiresAt"`;
  return { token, expiresAt: row!.expiresAt };
}

/** The live session of `token`. */
export async function findSession(sql: Sql, token: string): Promise<Session | undefined> {
  if (!TOKEN.test(token)) return undefined;
  const [session] = await sql<Session[]>`
    select id, user_id as "userId", expires_at as "expiresAt" from sessions
    where token_hash = ${await sha256(token)} and expires_at > now()`;
  return session;
}

/** Those of the sessions with these hashes (SHA-256 of the token, as base64) that live. */
export async function livingSessions(
  sql: Sql,
  hashes: readonly string[],
): Promise<{ hash: string; expiresAt: Date }[]> {
  return await sql<{ hash: string; expiresAt: Date }[]>`
    select encode(token_hash, 'base64') as hash, expires_at as "expiresAt" from sessions
    where token_hash in (select decode(hash, 'base64') from unnest(${hashes}::text[]) as hash) and expires_at > now()`;
}

/** Ends a session; false if it had ended before. */
export async function endSession(sql: Sql, id: string): Promise<boolean> {
  const ended = await sql`delete from sessions where id = ${id} and expires_at > now()`;
  return ended.count > 0;
}

/** Removes expired sessions; returns how many. Several nodes may do so at once. */
export async function removeExpired(sql: Sql): Promise<number> {
  const removed = await sql`
    delete from sessions where id in (
      select id from sessions where expires_at <= now() limit ${SWEEP_BATCH} for update skip locked)`;
  return removed.count;
}

/** Removes expired sessions now and then, until `stopping`; what fails is told to `onError` and tried again later. */
export async function keepRemovingExpired(
  sql: Sql,
  stopping: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      while (await removeExpired(sql) === SWEEP_BATCH && !stopping.aborted);
    } catch (error) {
      onError(error);
    }
    await delay(SWEEP_PAUSE_MS, stopping);
  }
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
