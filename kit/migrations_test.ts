import postgres from "postgres";
import assert from "node:assert/strict";
import type { Sql } from "./database.ts";
import { runMigrations } from "./migrations.ts";
import { withDatabase } from "./testing/database.ts";
import { delay } from "./time.ts";

const FIRST = { name: "000001_a", sql: "create table a (n int); insert into a values (1);" };
const SECOND = { name: "000002_b", sql: "insert into a values (2);" };

Deno.test("migrations - run once each, however many nodes start together, and then only those that are new", () =>
  withDatabase([], async (sql) => {
    await Promise.all(Array.from({ length: 6 }, () => runMigrations(sql, [FIRST])));
    assert.deepEqual([...await sql`select n from a`], [{ n: 1 }]);
    await runMigrations(sql, [FIRST, SECOND]);
    assert.deepEqual([...await sql`select n from a order by n`], [{ n: 1 }, { n: 2 }]);
  }));

Deno.test("migrations - one that fails leaves nothing behind", () =>
  withDatabase([], async (sql) => {
    await assert.rejects(runMigrations(sql, [FIRST, { name: "000002_b", sql: "insert into nowhere values (1)" }]));
    assert.equal((await sql`select to_regclass('a') as found`)[0]!.found, null);
    await runMigrations(sql, [FIRST]);
  }));

Deno.test("migrations - refuse one that was changed after it ran, and a database newer than the program", () =>
  withDatabase([FIRST, SECOND], async (sql) => {
    await assert.rejects(runMigrations(sql, [FIRST]), /000002_b/);
    await assert.rejects(runMigrations(sql, [FIRST, { ...SECOND, sql: "select 1" }]), /000002_b was changed/);
  }));

Deno.test("migrations - a node waits for another that runs them longer than a statement may take", () =>
  withDatabase([], async (_, url) => {
    const connection = { statement_timeout: 200, lock_timeout: 100 };
    const open = () => postgres(url, { max: 1, onnotice: () => {}, connection }) as unknown as Sql;
    const [slow, waiting] = [open(), open()];
    try {
      const running = runMigrations(slow, [{ name: "000001_slow", sql: "select pg_sleep(0.6)" }]);
      await delay(100);
      await runMigrations(waiting, [{ name: "000001_slow", sql: "select pg_sleep(0.6)" }]);
      await running;
    } finally {
      await Promise.all([slow.end(), waiting.end()]);
    }
  }));
