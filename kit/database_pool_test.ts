/** What is told of a pool, with a real one: its driver's inside is relied on. */

import assert from "node:assert/strict";
import { connect } from "./database.ts";
import { PoolUse } from "./database_pool.ts";
import { withDatabase } from "./testing/database.ts";

Deno.test("database pool - statements and transactions take a connection each; what is beyond them waits; all is given back", () =>
  withDatabase([], async (_, url) => {
    const pool = new PoolUse(connect(url, "test", 2), 2);
    const { sql } = pool;
    const use = () => [pool.used, pool.waiting];
    try {
      assert.deepEqual([...await sql`select ${1}::int as a ${sql`, 2 as b`}`], [{ a: 1, b: 2 }]);
      assert.deepEqual(use(), [0, 0]);

      const { promise: enough, resolve: end } = Promise.withResolvers<void>();
      const inside = Promise.withResolvers<void>();
      const transaction = sql.begin(async (transaction) => {
        await transaction`select ${1}::int in ${transaction([1, 2])}`;
        inside.resolve();
        await enough;
        return "done";
      });
      await inside.promise;
      assert.deepEqual(use(), [1, 0]);

      // Not sent until it is awaited.
      const unsent = sql`select 1`;
      await Promise.resolve();
      assert.deepEqual(use(), [1, 0]);

      const slow = [sql`select pg_sleep(0.1)`, sql.unsafe("select pg_sleep(0.1)"), unsent].map((one) => one.execute());
      await Promise.resolve();
      await Promise.resolve();
      assert.deepEqual(use(), [2, 2]);
      await Promise.all(slow);
      assert.deepEqual(use(), [1, 0]);

      await assert.rejects(Promise.resolve(sql`select 1 / 0`), { code: "22012" });
      end();
      assert.equal(await transaction, "done");
      await assert.rejects(sql.begin((transaction) => transaction`nonsense`), { code: "42601" });
      assert.deepEqual(use(), [0, 0]);

      // A connection that is lost with what was on it.
      await assert.rejects(Promise.resolve(sql`select pg_terminate_backend(pg_backend_pid())`));
      assert.deepEqual(use(), [0, 0]);
    } finally {
      await sql.end({ timeout: 1 });
    }
    await assert.rejects(Promise.resolve(sql`select 1`), { code: "CONNECTION_ENDED" });
    assert.deepEqual(use(), [0, 0]);
  }));
