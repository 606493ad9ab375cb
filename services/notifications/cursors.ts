/** Cursors of the feed: an epoch and a position, opaque to clients. */

import { UserError } from "../../kit/errors.ts";
import { decodeCursor, encodeCursor, unknownCursor } from "../../kit/paging.ts";

export interface FeedCursor {
  readonly epoch: string;
  readonly position: number;
}

export function encodeFeedCursor(epoch: string, position: number): string {
  return encodeCursor([epoch, String(position)]);
}

/** @throws UserError `BAD_USER_INPUT` for one that we can't have made */
export function decodeFeedCursor(cursor: string): FeedCursor {
  const [epoch, digits] = decodeCursor(cursor, 2) as [string, string];
  if (!/^\d{1,15}$/.test(digits)) throw unknownCursor();
  return { epoch, position: Number(digits) };
}

/** Something behind a cursor is gone; from `oldestCursor` on a resume is whole again. */
export function cursorExpired(oldestCursor: string): UserError {
  return new UserError("CURSOR_EXPIRED", "something behind this cursor is gone", { oldestCursor });
}
