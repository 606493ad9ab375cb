/** A database of a test's own, on the PostgreSQL that `deno task test` starts for all of them. */

import postgres from "postgres";
import { connect, type Sql } from "../database.ts";
import { type Migration, runMigrations } from "../migrations.ts";

/**
 * Makes a database, brings it up to date, and drops it after `use`. Fails if `use` leaves a prepared transaction in it.
 * The server is NOTIFYX_TEST_DATABASE_URL, as a role that may create databases.
 */
export async function withDatabase(
  migrations: readonly Migration[],
  use: (sql: Sql, url: string) => Promise<void>,
): Promise<void> {
  const serverUrl = Deno.env.get("NOTIFYX_TEST_DATABASE_URL");
  if (!serverUrl) throw new Error("NOTIFYX_TEST_DATABASE_URL is not set: `deno task test` starts a server and sets it");
  const name = `notifyx_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const url = new URL(serverUrl);
  url.pathname = "/postgres";
  const server = postgres(url.href, { max: 1, onnotice: () => {} });
  try {
    await server`create database ${server(name)}`;
    try {
      url.pathname = `/${name}`;
      const sql = connect(url.href, "test", 8);
      try {
        await runMigrations(sql, migrations);
        await use(sql, url.href);
      } finally {
        await sql.end({ timeout: 1 });
      }
      const left = await server`select gid from pg_prepared_xacts where database = ${name}`;
      if (left.length > 0) throw new Error(`prepared transactions were left: ${left.map(({ gid }) => gid)}`);
    } finally {
      await rollBackPrepared(url.href, name);
      await server`drop database ${server(name)} with (force)`;
    }
  } finally {
    await server.end({ timeout: 1 });
  }
}

/** A database with a prepared transaction can't be dropped. */
async function rollBackPrepared(url: string, database: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (const { gid } of await sql`select gid from pg_prepared_xacts where database = ${database}`) {
      await sql.unsafe(`rollback prepared '${gid.replaceAll("'", "''")}'`);
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}
