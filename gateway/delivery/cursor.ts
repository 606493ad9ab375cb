/** Cursors of the feed as clients give them back: an epoch and a position (`services/notifications/cursors.ts` makes them). */

import { decodeCursor, encodeCursor, unknownCursor } from "../../kit/paging.ts";

export interface FeedCursor {
  readonly epoch: string;
  readonly position: number;
}

/** @throws UserError `BAD_USER_INPUT` for a text that is no cursor of the feed */
export function readFeedCursor(cursor: string): FeedCursor {
  const [epoch, digits] = decodeCursor(cursor, 2) as [string, string];
  if (!/^\d{1,15}$/.test(digits)) throw unknownCursor();
  return { epoch, position: Number(digits) };
}

export function writeFeedCursor({ epoch, position }: FeedCursor): string {
  return encodeCursor([epoch, String(position)]);
}
