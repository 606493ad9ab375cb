/** Cursors of the feed: an epoch and a position, opaque to clients. */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { decodeCursor, encodeCursor, unknownCursor } from "../../kit/paging.ts";

export function encodeFeedCursor(epoch: string, position: number): string {
  return encodeCursor([epoch, String(position)]);
}

/**
 * The position that `cursor` stands for.
 * @throws UserError `BAD_USER_INPUT` for one that we can't have made; `CURSOR_EXPIRED` for one of another epoch, with
 * `extensions.oldestCursor`, behind which a resume is whole again
 */
export async function feedPositionOf(sql: Sql, cursor: string): Promise<number> {
  const [epoch, digits] = decodeCursor(cursor, 2) as [string, string];
  if (!/^\d{1,15}$/.test(digits)) throw unknownCursor();
  const [head] = await sql<{ epoch: string; position: number }[]>`select epoch, position from feed_head`;
  if (epoch !== head!.epoch) {
    throw new UserError("CURSOR_EXPIRED", "this cursor is of a feed that is gone", {
      oldestCursor: encodeFeedCursor(head!.epoch, 0),
    });
  }
  const position = Number(digits);
  if (position > head!.position) throw unknownCursor();
  return position;
}
