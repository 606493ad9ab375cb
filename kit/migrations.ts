/** Runs a database's migrations, each once and in a transaction, however many nodes start at the same time. */

import type { Sql } from "./database.ts";

export interface Migration {
  /** `000001_users`: sorted by name, never changed once released. */
  readonly name: string;
  readonly sql: string;
}

/** Key of the advisory lock under which one node at a time migrates ("NTFX"). */
const LOCK_KEY = 0x4e544658;

/** @throws Error if a migration that already ran has another text now, or if the database is newer than this program. */
export async function runMigrations(sql: Sql, migrations: readonly Migration[]): Promise<void> {
  await sql.begin(async (transaction) => {
    // Released with the transaction, so that a node that dies here holds nobody up. The others wait for all of it.
    await transaction`set local lock_timeout = '60s'`;
    // A service's limit is for its queries: a migration of a large table, and the wait for a node that runs one, take longer.
    await transaction`set local statement_timeout = '10min'`;
    await transaction`select pg_advisory_xact_lock(${LOCK_KEY})`;
    await transaction`create table if not exists schema_migrations (
      name text primary key, checksum text not null, ran_at timestamptz not null default now())`;
    const ran = new Map(
      (await transaction<{ name: string; checksum: string }[]>`select name, checksum from schema_migrations`)
        .map((row) => [row.name, row.checksum]),
    );
    for (const migration of migrations) {
      const checksum = await sha256(migration.sql);
      const before = ran.get(migration.name);
      ran.delete(migration.name);
      if (before === checksum) continue;
      if (before !== undefined) throw new Error(`migration ${migration.name} was changed after it ran`);
      await transaction.unsafe(migration.sql);
      await transaction`insert into schema_migrations (name, checksum) values (${migration.name}, ${checksum})`;
    }
    const unknown = [...ran.keys()];
    if (unknown.length > 0) throw new Error(`the database has migrations that this version doesn't know: ${unknown}`);
  });
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}
