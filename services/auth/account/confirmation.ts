/** Whether users have confirmed their addresses, by the link in a mail to it. */

import type { Sql } from "../../../kit/database.ts";
import { isUuid } from "../../../kit/ids.ts";
import { linksUsed } from "../metrics.ts";
import { unknownLink, useLink } from "./links.ts";

/** @throws UserError `NOT_FOUND` for a link that doesn't work */
export async function confirmAddress(sql: Sql, token: string): Promise<void> {
  await sql.begin(async (transaction) => {
    const inside = transaction as unknown as Sql;
    const userId = await useLink(inside, "confirm", token);
    if (userId === undefined) throw unknownLink();
    await inside`update users set confirmed_at = coalesce(confirmed_at, now()) where id = ${userId}`;
  });
  linksUsed.inc({ kind: "confirm" });
}

/** Those of `ids` whose users have confirmed their address. */
export async function confirmedAmong(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const wanted = [...new Set(ids.filter(isUuid))];
  const rows = wanted.length === 0 ? [] : await sql<{ id: string }[]>`
    select id from users where id = any(${wanted}::uuid[]) and confirmed_at is not null`;
  return new Set(rows.map(({ id }) => id));
}
