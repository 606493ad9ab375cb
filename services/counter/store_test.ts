/** Counts stay exact before, during and after they are folded, by any number of nodes. */

import assert from "node:assert/strict";
import { withDatabase } from "../../kit/testing/database.ts";
import { migrations } from "./migrations/mod.ts";
import { Counts } from "./store.ts";

const [ANN, BOB] = ["00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"];
/** More than two folds take. */
const SENDS = 12_000;

Deno.test("counter - counts are exact before, during and after folds, also by two nodes at once", async () => {
  await withDatabase(migrations, async (sql) => {
    const counts = new Counts(sql);
    assert.deepEqual(await counts.sent([ANN, BOB]), [0, 0]);
    await sql`insert into sends (transaction_id, user_id)
      select 'a' || n, ${ANN}::uuid from generate_series(1, ${SENDS}) as n union all select 'b', ${BOB}::uuid`;
    assert.deepEqual(await counts.sent([BOB, ANN, "nobody", ANN.toUpperCase()]), [1, SENDS, 0, SENDS]);

    let folding = true;
    const watching = (async () => {
      const seen = new Set<number>();
      while (folding) for (const sent of await counts.sent([ANN])) seen.add(sent);
      return seen;
    })();
    const nodes = Array.from({ length: 2 }, async () => {
      const node = new Counts(sql);
      // While another node folds, one does nothing.
      while ((await sql`select from sends limit 1`).length > 0) await node.fold();
    });
    await Promise.all(nodes);
    folding = false;
    assert.deepEqual(await watching, new Set([SENDS]));
    assert.deepEqual({ ...(await sql`select sum(sent)::bigint as sent from totals`)[0] }, { sent: SENDS + 1 });
    assert.equal(await counts.fold(), 0);

    await sql`insert into sends (transaction_id, user_id) values ('later', ${ANN})`;
    assert.deepEqual(await counts.sent([ANN]), [SENDS + 1]);
    assert.equal(await counts.fold(), 1);
    assert.deepEqual(await counts.sent([ANN]), [SENDS + 1]);
  });
});

Deno.test("counter - what is prepared neither counts nor is folded until it is committed", async () => {
  await withDatabase(migrations, async (sql) => {
    const counts = new Counts(sql);
    const prepare =
      `insert into sends (transaction_id, user_id) values ('one', '${ANN}'); start transaction; prepare transaction`;
    await sql.unsafe(`${prepare} 'counter-test'`).simple();
    assert.deepEqual([await counts.sent([ANN]), await counts.fold()], [[0], 0]);
    await sql.unsafe("commit prepared 'counter-test'");
    assert.deepEqual([await counts.sent([ANN]), await counts.fold(), await counts.sent([ANN])], [[1], 1, [1]]);
  });
});
