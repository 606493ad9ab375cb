/** How many transactions one gateway may have under way, so that the database's prepared transactions never run out. */

/** More than this at once only wait for one another in the database. */
const MOST = 64;
/** Participants that share the server, as in `deno task start`: each transaction is prepared once by each. */
const PARTICIPANTS = 2;
/** What is left free for those in doubt. */
const SHARE = 0.8;

/** `maxPrepared` is the server's max_prepared_transactions, which all `gateways` share. */
export function transactionsAtOnce(maxPrepared: number, gateways: number): number {
  return Math.max(1, Math.min(MOST, Math.floor(maxPrepared * SHARE / PARTICIPANTS / Math.max(1, gateways))));
}
