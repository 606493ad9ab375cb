/** What is left unfinished is finished, also behind many that can't be; what is long over is forgotten, however much. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { UserError } from "../../kit/errors.ts";
import { withDatabase } from "../../kit/testing/database.ts";
import { migrations } from "../migrations/mod.ts";
import type { Coordinator } from "./coordinator.ts";
import { DecisionLog } from "./decision_log.ts";
import { Lease } from "./lease.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import type { Participants } from "./participants.ts";
import { PhaseTwo } from "./phase_two.ts";
import { Recovery } from "./recovery.ts";

/** More than one look takes up. */
const STUCK = 120;

Deno.test("recovery - many that a participant doesn't confirm don't stand before one that can be finished", async () => {
  await withDatabase(migrations, async (sql) => {
    const log = getLogger("test");
    const decisions = new DecisionLog(sql, "dead");
    const isUp = new Set(["counter"]);
    let asked = 0;
    const participants = {
      commit(service: string) {
        asked++;
        if (isUp.has(service)) return Promise.resolve(undefined);
        return Promise.reject(new UserError("SERVICE_UNAVAILABLE", "away"));
      },
    } as unknown as Participants;
    const phaseTwo = new PhaseTwo(participants, decisions, log, new AbortController().signal);
    const recovery = new Recovery(decisions, { phaseTwo } as Coordinator, new IdempotencyKeys(sql, decisions), log);
    const unfinished = async () => {
      await decisions.flush();
      return (await decisions.unfinished(1_000)).map(({ transactionId }) => transactionId);
    };

    await Promise.all(
      Array.from({ length: STUCK }, (_, nth) => decisions.decide(`stuck${nth}`, "committed", ["gone"])),
    );
    await decisions.decide("late", "committed", ["counter"]);
    for (let looks = 0; looks < Math.ceil((STUCK + 1) / 50); looks++) await recovery.look();
    const left = await unfinished();
    assert.equal(left.length, STUCK);
    assert.ok(!left.includes("late"));

    // Those that have just failed aren't asked again at once; when the participant is back, they are finished.
    const askedSoFar = asked;
    await recovery.look();
    assert.ok(asked - askedSoFar <= 50);
    isUp.add("gone");
    const giveUpAt = Date.now() + 15_000;
    while ((await unfinished()).length > 0 && Date.now() < giveUpAt) {
      await recovery.look();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.deepEqual(await unfinished(), []);
  });
});

Deno.test("recovery - what is long over is forgotten as fast as it came, and the leases of the killed", async () => {
  await withDatabase(migrations, async (sql) => {
    const log = getLogger("test");
    const decisions = new DecisionLog(sql, "here");
    const phaseTwo = new PhaseTwo({} as Participants, decisions, log, new AbortController().signal);
    const recovery = new Recovery(decisions, { phaseTwo } as Coordinator, new IdempotencyKeys(sql, decisions), log);
    const rows = 12_000;
    await sql`insert into decisions (transaction_id, state, participants, done, decided_at)
      select 't' || n, 'committed', '{counter}', true, now() - interval '3 days' from generate_series(1, ${rows}) as n`;
    await sql`insert into idempotency_keys (user_id, key, fingerprint, transaction_id, created_at)
      select 'ann', n, '', 't' || n, now() - interval '2 days' from generate_series(1, ${rows}) as n`;
    await sql`insert into leases values ('killed', now() - interval '1 minute'), ('alive', now() + interval '1 minute')`;

    let looks = 1;
    while (!await recovery.prune()) looks++;
    assert.ok(looks <= 3, `it took ${looks} looks`);
    const [left] = await sql`select (select count(*) from decisions) + (select count(*) from idempotency_keys) as rows`;
    assert.equal(left!.rows, 0);

    const lease = new Lease(sql, "here", log);
    await lease.start();
    const leases = await sql`select gateway_id from leases order by gateway_id`;
    assert.deepEqual(leases.map((row) => row.gateway_id), ["alive", "here"]);
    await lease.stop();
  });
});
