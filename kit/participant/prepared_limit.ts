/** Two-phase commit needs a PostgreSQL that keeps prepared transactions; its own default is that it keeps none. */

import { EXIT_CONFIG } from "../config.ts";
import type { Sql } from "../database.ts";

const LEAST = 10;

/** The server's max_prepared_transactions; ends the process with one line where it is too low to work with. */
export async function checkPreparedTransactions(sql: Sql): Promise<number> {
  const [row] = await sql<{ max_prepared_transactions: string }[]>`show max_prepared_transactions`;
  const most = Number(row!.max_prepared_transactions);
  if (most >= LEAST) return most;
  console.error(
    `NOTIFYX_DATABASE_URL: the server has max_prepared_transactions = ${most}; it takes ${LEAST} at the least, better as many as max_connections`,
  );
  Deno.exit(EXIT_CONFIG);
}
