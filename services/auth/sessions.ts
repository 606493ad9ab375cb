/**
 * Sessions: opaque random tokens, of which only the SHA-256 is stored. A user may have several, each ends by itself, by logout, or by age.
 * It ends by its row being deleted; a trigger says so to ended_sessions.ts, whoever deletes it.
 */

import type { Sql } from "../../kit/database.ts";
import { isUuid, newId } from "../../kit/ids.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { isToken, newToken, tokenHash } from "./tokens.ts";

/** The most sessions of one user; at a further login the oldest ends. */
export const SESSIONS_A_USER = 100;
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
  /** Whether its user has confirmed their address. */
  readonly confirmed: boolean;
}

/**
 * Begins a session of `seconds`; its token is known to nobody but the caller. With the version of the password that the user gave there is
 * none where another has taken its place meanwhile: who replaces it ends all sessions, and this one would be too late for that.
 */
export async function beginSession(sql: Sql, userId: string, seconds: number): Promise<NewSession>;
export async function beginSession(
  sql: Sql,
  userId: string,
  seconds: number,
  passwordVersion: number,
): Promise<NewSession | undefined>;
export async function beginSession(sql: Sql, userId: string, seconds: number, passwordVersion: number | null = null) {
  const token = newToken();
  // The user first, then sessions: in this order whoever replaces a password locks them as well.
  const [row] = await sql<{ expiresAt: Date }[]>`
    with account as materialized (
      select id from users where id = ${userId} and password_version = coalesce(${passwordVersion}::int, password_version) for share
    ), ended as (
      delete from sessions where id in (
        select id from sessions where user_id = (select id from account) order by created_at desc, id desc offset ${
    SESSIONS_A_USER - 1
  })
    )
    insert into sessions (id, user_id, token_hash, expires_at)
    select ${newId()}, id, ${await tokenHash(token)}, now() + make_interval(secs => ${seconds}) from account
    returning expires_at as "expiresAt"`;
  return row && { token, expiresAt: row.expiresAt };
}

/** The live session of `token`. */
export async function findSession(sql: Sql, token: string): Promise<Session | undefined> {
  if (!isToken(token)) return undefined;
  const [session] = await sql<Session[]>`
    select s.id, s.user_id as "userId", s.expires_at as "expiresAt", u.confirmed_at is not null as confirmed
    from sessions s join users u on u.id = s.user_id
    where s.token_hash = ${await tokenHash(token)} and s.expires_at > now()`;
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

export interface OpenSession {
  readonly id: string;
  readonly startedAt: Date;
  readonly expiresAt: Date;
}

/** A user's live sessions, newest first. */
export async function openSessions(sql: Sql, userId: string): Promise<OpenSession[]> {
  return await sql<OpenSession[]>`
    select id, created_at as "startedAt", expires_at as "expiresAt" from sessions
    where user_id = ${userId} and expires_at > now() order by created_at desc, id desc limit ${SESSIONS_A_USER}`;
}

/** Ends the session `id` if it is this user's; false if there is none, or it had ended before. */
export async function endSessionOf(sql: Sql, userId: string, id: string): Promise<boolean> {
  if (!isUuid(id)) return false;
  const ended = await sql`delete from sessions where id = ${id} and user_id = ${userId} and expires_at > now()`;
  return ended.count > 0;
}

/** Ends all sessions of a user but one; how many. */
export async function endOtherSessions(sql: Sql, userId: string, keptId: string): Promise<number> {
  return (await sql`delete from sessions where user_id = ${userId} and id <> ${keptId} and expires_at > now()`).count;
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
