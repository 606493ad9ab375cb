/** PostgreSQL for one service: its own database on the given server, made if the role may, and brought up to date by its migrations. */

import type { Logger } from "@logtape/logtape";
import postgres from "postgres";
import { errorCode, isConnectionError } from "./database_errors.ts";
import { countDatabaseError } from "./database_metrics.ts";
import { EXIT_CONFIG, START_LIMIT_MS } from "./config.ts";
import { runMigrations } from "./migrations.ts";
import type { Migration } from "./migrations.ts";
import { backoffMs, delay, SECOND } from "./time.ts";

/** bigint comes as a number: positions and counts stay below 2^53. */
export type Sql = postgres.Sql<{ bigint: number }>;

const BIGINT = { to: 20, from: [20], serialize: (value: number) => String(value), parse: Number };

export interface DatabaseOptions {
  /** The server's URL; the path in it, if any, is the database to connect to for creating others. */
  readonly serverUrl: string;
  readonly service: string;
  readonly poolSize: number;
  readonly migrations: readonly Migration[];
  readonly log: Logger;
}

/** How long one statement may run, in milliseconds; the server ends it then with 57014. */
const STATEMENT_LIMIT_MS = 10 * SECOND;
/** How long a statement may wait for a lock, in milliseconds (55P03 then), so that an in-doubt transaction holds nobody for long. */
const LOCK_LIMIT_MS = SECOND;

/** The name of a service's database. */
export function databaseName(service: string): string {
  return `notifyx_${service}`;
}

/** Its URL on the server of `serverUrl`. */
export function databaseUrl(serverUrl: string, service: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${databaseName(service)}`;
  return url.href;
}

/**
 * Opens the service's database. Waits for a server that is starting, up to {@link START_LIMIT_MS};
 * exits with one line when the role may not create the database or may not sign in.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Sql> {
  outliveLostConnections((error) => {
    countDatabaseError(error);
    options.log.warning("a connection to the database was lost: {error}", { error });
  });
  await untilReachable(options.log, () => createDatabase(options));
  const sql = connect(databaseUrl(options.serverUrl, options.service), options.service, options.poolSize);
  await untilReachable(options.log, () => runMigrations(sql, options.migrations));
  return sql;
}

/**
 * The driver has promises of its own that nobody holds: a server killed while connections were being made ended processes by an
 * unhandled rejection (`read ECONNRESET`, seen in the soak). Whoever waits for a query is told, or it is tried again, all the same.
 */
export function outliveLostConnections(onLost: (error: unknown) => void): Disposable {
  const listener = (event: PromiseRejectionEvent) => {
    if (!isConnectionError(event.reason)) return;
    event.preventDefault();
    onLost(event.reason);
  };
  addEventListener("unhandledrejection", listener);
  return { [Symbol.dispose]: () => removeEventListener("unhandledrejection", listener) };
}

export function connect(url: string, applicationName: string, poolSize: number): Sql {
  return postgres(url, {
    max: poolSize,
    idle_timeout: 60,
    connect_timeout: 5,
    max_lifetime: 60 * 60,
    // A node that lost its database asks again soon: the default backs off to 20 s.
    backoff: (attempt: number) => Math.min(2, 0.1 * 2 ** attempt),
    onnotice: () => {},
    types: { bigint: BIGINT },
    connection: {
      standard_conforming_strings: "on",
      client_encoding: "UTF8",
      application_name: `notifyx-${applicationName}`,
      statement_timeout: STATEMENT_LIMIT_MS,
      lock_timeout: LOCK_LIMIT_MS,
      idle_in_transaction_session_timeout: 2 * STATEMENT_LIMIT_MS,
    },
  });
}

async function createDatabase({ serverUrl, service }: DatabaseOptions): Promise<void> {
  const name = databaseName(service);
  const url = new URL(serverUrl);
  if (url.pathname.length < 2) url.pathname = "/postgres";
  const sql = connect(url.href, service, 1);
  try {
    const found = await sql`select 1 from pg_database where datname = ${name}`;
    if (found.length === 0) await sql`create database ${sql(name)}`;
  } catch (error) {
    const code = errorCode(error);
    // 42P04, 23505: another node was faster.
    if (code === "42P04" || code === "23505") return;
    if (code === "42501") {
      exitWith(`NOTIFYX_DATABASE_URL: the role may not create the database ${name}; create it, owned by that role`);
    }
    if (code === "28P01" || code === "28000") {
      exitWith("NOTIFYX_DATABASE_URL: the server refuses this user or password");
    }
    throw error;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function untilReachable(log: Logger, step: () => Promise<void>): Promise<void> {
  const giveUpAt = Date.now() + START_LIMIT_MS;
  for (let attempt = 0;; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (!isConnectionError(error) || Date.now() > giveUpAt) throw error;
      if (attempt === 4) log.info("waiting for the database: {code}", { code: errorCode(error) });
      await delay(backoffMs(attempt, 100, 2 * SECOND));
    }
  }
}

function exitWith(line: string): never {
  console.error(line);
  Deno.exit(EXIT_CONFIG);
}
