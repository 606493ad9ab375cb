import assert from "node:assert/strict";
import { withDatabase } from "../../kit/testing/database.ts";
import { DAY, delay } from "../../kit/time.ts";
import { migrations } from "../migrations/mod.ts";
import { DecisionLog } from "./decision_log.ts";
import { IdempotencyKeys } from "./idempotency.ts";

Deno.test("decision log - forgets what has long been finished, and never what somebody still has to commit", async () => {
  await withDatabase(migrations, async (sql) => {
    const log = new DecisionLog(sql, "here");
    await Promise.all(
      ["old and done", "old", "new and done", "new"].map((id) => log.decide(id, "committed", ["counter"])),
    );
    await log.decide("old and aborted", "aborted", []);
    await sql`update decisions set done = true where transaction_id like '%done'`;
    await sql`update decisions set decided_at = now() - interval '3 days' where transaction_id like 'old%'`;

    assert.equal(await log.prune(2 * DAY, 1), 1);
    assert.equal(await log.prune(2 * DAY, 100), 1);
    const left = await sql`select transaction_id from decisions order by transaction_id`;
    assert.deepEqual(left.map((row) => row.transaction_id), ["new", "new and done", "old"]);
    assert.deepEqual((await log.unfinishedAmong(["old", "old and done", "new and done", "never"])).sort(), ["old"]);
  });
});

Deno.test("decision log - the first decision of a transaction stands, whoever comes later and how many at once", async () => {
  await withDatabase(migrations, async (sql) => {
    const logs = [new DecisionLog(sql, "a"), new DecisionLog(sql, "b")] as const;
    for (let round = 0; round < 50; round++) {
      const id = `t${round}`;
      const decisions = await Promise.all(
        Array.from(
          { length: 8 },
          (_, index) => logs[index % 2]!.decide(id, index % 3 === 0 ? "aborted" : "committed", []),
        ),
      );
      assert.equal(new Set(decisions).size, 1);
      assert.equal(await logs[0].read(id), decisions[0]);
    }
  });
});

Deno.test("decision log - what a gateway with a lease decided is left to it; when the lease has ended, one other takes it over", async () => {
  await withDatabase(migrations, async (sql) => {
    const [dead, a, b] = [new DecisionLog(sql, "dead"), new DecisionLog(sql, "a"), new DecisionLog(sql, "b")];
    await Promise.all(Array.from({ length: 40 }, (_, index) => dead.decide(`t${index}`, "committed", ["counter"])));
    await sql`insert into leases select id, now() + interval '1 minute' from unnest(array['dead', 'a', 'b']) as id`;
    assert.equal((await a.takeOver(100, [])).length, 0);

    await sql`update leases set until = now() - interval '1 second' where gateway_id = 'dead'`;
    const taken = (await Promise.all([a.takeOver(20, []), b.takeOver(20, [])])).flat().map((one) => one.transactionId);
    assert.ok(taken.length >= 20);
    assert.equal(new Set(taken).size, taken.length);
  });
});

Deno.test("idempotency - keys are forgotten after their day, and a day-old key is free", async () => {
  await withDatabase(migrations, async (sql) => {
    const log = new DecisionLog(sql, "here");
    const keys = new IdempotencyKeys(sql, log);
    const first = await keys.claim("ann", "key", { message: "one" });
    assert.equal(first.isFirst, true);
    await log.decide(first.transactionId, "committed", []);
    assert.deepEqual(await keys.claim("ann", "key", { message: "one" }), { ...first, isFirst: false });
    await assert.rejects(keys.claim("ann", "key", { message: "two" }), { code: "CONFLICT" });

    await sql`update idempotency_keys set created_at = now() - interval '25 hours'`;
    const later = await keys.claim("ann", "key", { message: "two" });
    assert.equal(later.isFirst, true);
    assert.equal(await keys.prune(100), 0);
    await sql`update idempotency_keys set created_at = now() - interval '25 hours'`;
    assert.equal(await keys.prune(100), 1);
  });
});

Deno.test("idempotency - another input waits for a first attempt without an outcome: aborted, the key is its own; committed, a conflict", async () => {
  await withDatabase(migrations, async (sql) => {
    const log = new DecisionLog(sql, "here");
    const keys = new IdempotencyKeys(sql, log);
    const claims = async (decision: "aborted" | "committed") => {
      const first = await keys.claim("ann", decision, { message: "one" });
      const second = keys.claim("ann", decision, { message: "two" });
      second.catch(() => {});
      await delay(100);
      await log.decide(first.transactionId, decision, []);
      return { first, second };
    };
    const { first, second } = await claims("aborted");
    assert.equal((await second).isFirst, true);
    assert.notEqual((await second).transactionId, first.transactionId);
    await assert.rejects((await claims("committed")).second, { code: "CONFLICT" });
  });
});
