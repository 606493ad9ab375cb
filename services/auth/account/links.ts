/**
 * Links in mails that let their reader do one thing: confirm an address, or choose a new password. In: whose. Out: a token, of which only
 * the hash is stored; it works once and for a while, and the next one of its kind ends it.
 */

import type { Sql } from "../../../kit/database.ts";
import { UserError } from "../../../kit/errors.ts";
import { HOUR, MINUTE, SECOND } from "../../../kit/time.ts";
import type { User } from "../store.ts";
import { isToken, newToken, tokenHash } from "../tokens.ts";

export type LinkKind = "confirm" | "reset";

/** How long a link works, in milliseconds. */
export const LINK_LASTS_MS: Record<LinkKind, number> = { confirm: 48 * HOUR, reset: 60 * MINUTE };

/** A new link's token; the user's earlier link of this kind works no more. */
export async function makeLink(sql: Sql, kind: LinkKind, userId: string): Promise<string> {
  const token = newToken();
  await sql`insert into account_links (user_id, kind, token_hash, expires_at)
    values (${userId}, ${kind}, ${await tokenHash(token)}, now() + make_interval(secs => ${
    LINK_LASTS_MS[kind] / SECOND
  }))
    on conflict (user_id, kind) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at`;
  return token;
}

/** Whose link this is; undefined where it doesn't work. Looks only. */
export async function findLink(sql: Sql, kind: LinkKind, token: string): Promise<User | undefined> {
  if (!isToken(token)) return undefined;
  const [user] = await sql<User[]>`
    select id, email, created_at as "createdAt" from users where id = (
      select user_id from account_links where token_hash = ${await tokenHash(
    token,
  )} and kind = ${kind} and expires_at > now())`;
  return user;
}

/** Uses the link up, in the caller's transaction: of several at once one gets its user's id, the others undefined. */
export async function useLink(sql: Sql, kind: LinkKind, token: string): Promise<string | undefined> {
  if (!isToken(token)) return undefined;
  const [link] = await sql<{ userId: string }[]>`
    delete from account_links where token_hash = ${await tokenHash(token)} and kind = ${kind} and expires_at > now()
    returning user_id as "userId"`;
  return link?.userId;
}

/** Removes the links that are too old. */
export async function removeOldLinks(sql: Sql): Promise<void> {
  await sql`delete from account_links where expires_at <= now()`;
}

/** The same for one that nobody made, that was used, and that is too old. */
export function unknownLink(): UserError {
  return new UserError("NOT_FOUND", "this link is not known: it may have been used, be too old, or be incomplete");
}
