/** Names of transactions: they become part of a gid, which postgres.js puts into the statement as it is. */

import { UserError } from "../errors.ts";

export const TRANSACTION_ID = /^[0-9A-Za-z-]{1,64}$/;

/** The id as it came. @throws UserError `BAD_USER_INPUT` for one that is none */
export function checkTransactionId(id: string): string {
  if (TRANSACTION_ID.test(id)) return id;
  throw new UserError("BAD_USER_INPUT", "a transaction's id is 1 to 64 letters, digits and -");
}
