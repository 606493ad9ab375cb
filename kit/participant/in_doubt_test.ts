/** What a participant forgets: outcomes of long ago, however many, and none that a gateway may still ask it to commit. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { withDatabase } from "../testing/database.ts";
import { Barrier, OUTCOMES_MIGRATION } from "./barrier.ts";
import type { Gateways } from "./gateways.ts";
import { InDoubt } from "./in_doubt.ts";

/** More than one request to a gateway may name. */
const UNFINISHED = 1_500;
const FINISHED = 9_000;

Deno.test("in doubt - old outcomes are forgotten, also behind many that are unfinished, which stay", async () => {
  await withDatabase([OUTCOMES_MIGRATION], async (sql) => {
    // All of one moment, and ids that are not in its order.
    await sql`insert into two_phase_outcomes (transaction_id, state, decided_at)
      select 'unfinished-' || n, 'committed', now() - interval '4 days' from generate_series(1, ${UNFINISHED}) as n`;
    await sql`insert into two_phase_outcomes (transaction_id, state, decided_at)
      select 'old-' || n, case n % 2 when 0 then 'committed' else 'aborted' end, now() - interval '3 days'
      from generate_series(1, ${FINISHED}) as n`;
    await sql`insert into two_phase_outcomes (transaction_id, state, decided_at)
      select 'new-' || n, 'committed', now() - interval '1 day' from generate_series(1, 10) as n`;
    const gateways = {
      unfinished(ids: readonly string[]) {
        assert.ok(ids.length <= 1_000);
        return Promise.resolve(new Set(ids.filter((id) => id.startsWith("unfinished"))));
      },
    } as unknown as Gateways;
    const barrier = new Barrier(sql, "tests");
    const inDoubt = new InDoubt({ barrier, gateways, log: getLogger("test"), committed() {} });

    let looks = 1;
    while (!await inDoubt.prune()) looks++;
    assert.ok(looks <= 3, `it took ${looks} looks`);
    const left = await sql`select split_part(transaction_id, '-', 1) as kind, count(*) from two_phase_outcomes
      group by 1 order by 1`;
    assert.deepEqual(left.map(({ kind, count }) => [kind, count]), [["new", 10], ["unfinished", UNFINISHED]]);

    // The next time it begins anew.
    await sql`update two_phase_outcomes set decided_at = now() - interval '5 days' where transaction_id = 'new-1'`;
    await inDoubt.prune();
    assert.equal(await barrier.outcome("new-1"), undefined);
  });
});
