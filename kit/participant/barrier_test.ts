/** The barrier over a real PostgreSQL: any order, any number of times, at once; from several instances of one service. */

import assert from "node:assert/strict";
import { connect, type Sql } from "../database.ts";
import { UserError } from "../errors.ts";
import { newId } from "../ids.ts";
import { withDatabase } from "../testing/database.ts";
import { Barrier, OUTCOMES_MIGRATION } from "./barrier.ts";
import { statement } from "./statement.ts";

const MIGRATIONS = [OUTCOMES_MIGRATION, {
  name: "000001_work",
  sql: `create table work (id bigint generated always as identity, transaction_id text not null,
    number int unique deferrable initially deferred);
    create function refuse() returns void language plpgsql as
      $$ begin raise exception 'not so' using errcode = 'NX409', detail = '{"why": "a reason"}'; end $$;`,
}];

const CONNECTIONS = 30;

type Step = "prepare" | "commit" | "rollback";
type State = "nothing" | "prepared" | "committed" | "aborted";

/** Two instances of a service on one store. */
function withBarriers(use: (barriers: [Barrier, Barrier], sql: Sql, url: string) => Promise<void>): Promise<void> {
  return withDatabase(MIGRATIONS, async (sql, url) => {
    const other = connect(url, "test", CONNECTIONS);
    try {
      await use([new Barrier(sql, "tests"), new Barrier(other, "tests")], sql, url);
    } finally {
      await other.end({ timeout: 1 });
    }
  });
}

const work = (id: string) => [statement`insert into work (transaction_id) values (${id})`];

/** What a step answers: `done`, or the code of the refusal. */
async function perform(barrier: Barrier, step: Step, id: string): Promise<string> {
  try {
    await (step === "prepare" ? barrier.prepare(id, work(id)) : barrier[step](id));
    return "done";
  } catch (error) {
    if (error instanceof UserError) return error.code;
    throw error;
  }
}

async function stateOf(barrier: Barrier, sql: Sql, id: string): Promise<{ state: State; works: number }> {
  const [row] = await sql`select count(*) as works from work where transaction_id = ${id}`;
  const isPrepared = (await barrier.prepared()).some(({ transactionId }) => transactionId === id);
  return { state: isPrepared ? "prepared" : await barrier.outcome(id) ?? "nothing", works: row!.works };
}

/** What each step does in each state, by the contract. */
const RULES: Record<Step, Record<State, [answer: string, next: State]>> = {
  prepare: {
    nothing: ["done", "prepared"],
    prepared: ["done", "prepared"],
    committed: ["done", "committed"],
    aborted: ["TRANSACTION_ABORTED", "aborted"],
  },
  commit: {
    nothing: ["CONFLICT", "nothing"],
    prepared: ["done", "committed"],
    committed: ["done", "committed"],
    aborted: ["CONFLICT", "aborted"],
  },
  rollback: {
    nothing: ["done", "aborted"],
    prepared: ["done", "aborted"],
    committed: ["CONFLICT", "committed"],
    aborted: ["done", "aborted"],
  },
};

/** Every order of `steps`, each once. */
function orders(steps: readonly Step[]): Step[][] {
  if (steps.length === 0) return [[]];
  return [...new Set(steps)].flatMap((first) => {
    const at = steps.indexOf(first);
    return orders(steps.toSpliced(at, 1)).map((rest) => [first, ...rest]);
  });
}

Deno.test("barrier - each step twice in all 90 orders: answers and effects are those of the contract", async () => {
  await withBarriers(async (barriers, sql) => {
    const all = orders(["prepare", "prepare", "commit", "commit", "rollback", "rollback"]);
    assert.equal(all.length, 90);
    const orderly = async (steps: Step[]) => {
      const id = newId();
      let before: State = "nothing";
      for (const [at, step] of steps.entries()) {
        const [answer, state]: [string, State] = RULES[step][before];
        assert.equal(await perform(barriers[1], step, id), answer, `${step} when ${before}, in ${steps}`);
        const works: number = state === "committed" ? 1 : 0;
        assert.deepEqual(await stateOf(barriers[0], sql, id), { state, works }, `${steps}, at ${at}`);
        before = state;
      }
    };
    // A prepare that is repeated waits for the first one's row, so many orders go at once.
    while (all.length > 0) await Promise.all(all.splice(0, CONNECTIONS).map(orderly));
  });
});

Deno.test("barrier - all steps at once from two instances: one outcome, and the work once or not at all", async () => {
  await withBarriers(async (barriers, sql) => {
    for (let nth = 0; nth < 15; nth++) {
      const id = newId();
      // Sometimes it is prepared before, so that commits race for something.
      if (nth % 3 > 0) await barriers[0].prepare(id, work(id));
      const steps: Step[] = ["prepare", "commit", "rollback", "commit", "rollback", "prepare"];
      const answers = await Promise.all(steps.map((step, at) => perform(barriers[at % 2]!, step, id)));
      const { state, works } = await stateOf(barriers[0], sql, id);
      assert.ok(state === "committed" || state === "aborted", state);
      assert.equal(works, state === "committed" ? 1 : 0);
      const winner = state === "committed" ? "commit" : "rollback";
      for (const [at, step] of steps.entries()) {
        if (answers[at] === "done" && step !== "prepare") assert.equal(step, winner, `${answers}`);
      }
    }
  });
});

Deno.test("barrier - two prepares at once are one: both have a vote of yes, and the work is done once", async () => {
  await withBarriers(async (barriers, sql) => {
    const id = newId();
    await Promise.all(barriers.map((barrier) => barrier.prepare(id, work(id))));
    await barriers[0].commit(id);
    assert.deepEqual(await stateOf(barriers[1], sql, id), { state: "committed", works: 1 });
  });
});

Deno.test("barrier - a prepare that is repeated while the first is still at work has the same vote", async () => {
  await withBarriers(async (barriers, sql) => {
    const id = newId();
    // Longer than the repeated one waits for the first one's row.
    const slow = [...work(id), "select pg_sleep(1.3)"];
    await Promise.all(barriers.map((barrier) => barrier.prepare(id, slow)));
    assert.deepEqual(await stateOf(barriers[0], sql, id), { state: "prepared", works: 0 });
    await barriers[1].rollback(id);
  });
});

Deno.test("barrier - a statement that fails never votes yes, and its connection goes back clean", async () => {
  await withDatabase(MIGRATIONS, async (sql, url) => {
    // The one connection that all of them get, one after the other.
    const one = connect(url, "test", 1);
    const barrier = new Barrier(one, "tests");
    const [{ pid }] = await one`select pg_backend_pid() as pid` as [{ pid: number }];
    const failing: [string[], object][] = [
      [["select 1 / 0"], { code: "22012" }],
      [["select refuse()"], { code: "CONFLICT", message: "not so", extensions: { code: "CONFLICT", why: "a reason" } }],
      [["insert into work (transaction_id, number) values ('a', 1), ('b', 1)"], { code: "23505" }],
      [["notify somebody"], { code: "0A000" }],
      [["create temp table mine ()"], { code: "0A000" }],
      [["this is no SQL"], { code: "42601" }],
    ];
    try {
      for (const [statements, expected] of failing) {
        const id = newId();
        await assert.rejects(barrier.prepare(id, [...work(id), ...statements]), expected);
        assert.deepEqual(await stateOf(barrier, sql, id), { state: "nothing", works: 0 }, statements.join("; "));
        const [after] = await one`
          select pg_backend_pid() as pid, pg_current_xact_id_if_assigned() as transaction,
            (select count(*) from pg_settings where source = 'session') as settings,
            (select count(*) from pg_locks where relation in ('work'::regclass, 'two_phase_outcomes'::regclass)) as locks`;
        assert.deepEqual({ ...after }, { pid, transaction: null, settings: 0, locks: 0 }, statements.join("; "));
        await barrier.prepare(id, work(id));
        await barrier.rollback(id);
      }
    } finally {
      await one.end({ timeout: 1 });
    }
  });
});

Deno.test("barrier - a connection that is lost in the middle is no vote, and the pool goes on", async () => {
  await withDatabase(MIGRATIONS, async (sql, url) => {
    const one = connect(url, "test", 1);
    const barrier = new Barrier(one, "tests");
    const id = newId();
    try {
      await assert.rejects(barrier.prepare(id, ["select pg_terminate_backend(pg_backend_pid())", ...work(id)]));
      assert.deepEqual(await stateOf(new Barrier(sql, "tests"), sql, id), { state: "nothing", works: 0 });
      // The driver tells whoever comes next of the same loss once more.
      await barrier.prepare(id, work(id)).catch(() => barrier.prepare(id, work(id)));
      await barrier.commit(id);
      assert.deepEqual(await stateOf(barrier, sql, id), { state: "committed", works: 1 });
    } finally {
      await one.end({ timeout: 1 });
    }
  });
});

Deno.test("barrier - only what is its own: other services' transactions are not seen, and ids that are none are refused", async () => {
  await withBarriers(async ([barrier], sql) => {
    const [id, foreign] = [newId(), newId()];
    await barrier.prepare(id, work(id));
    await new Barrier(sql, "tests-too").prepare(foreign, work(foreign));
    assert.deepEqual((await barrier.prepared()).map((one) => one.transactionId), [id]);
    assert.equal(await perform(barrier, "commit", foreign), "CONFLICT");
    await barrier.rollback(id);
    await new Barrier(sql, "tests-too").commit(foreign);
    for (const wrong of ["", "'; drop table work; --", "a".repeat(65), "ä", "a\n"]) {
      for (const step of ["prepare", "commit", "rollback"] as const) {
        assert.equal(await perform(barrier, step, wrong), "BAD_USER_INPUT", `${step} of ${wrong}`);
      }
    }
  });
});

Deno.test("barrier - what another owner, or another database, holds under the same names is not seen", async () => {
  await withBarriers(async ([barrier], sql) => {
    const role = `other_${newId().replaceAll("-", "")}`;
    const [id, ofRole, elsewhere] = [newId(), newId(), newId()];
    const prepare = (on: Sql, gid: string, before = "select 1") =>
      on.unsafe(`${before}; start transaction; prepare transaction 'notifyx:tests:${gid}'`).simple();
    await sql.unsafe(`create role ${role}`);
    await prepare(sql, ofRole, `set local role ${role}`);
    try {
      await withDatabase(MIGRATIONS, async (other) => {
        await prepare(other, elsewhere);
        await barrier.prepare(id, work(id));
        assert.deepEqual((await barrier.prepared()).map((one) => one.transactionId), [id]);
        assert.deepEqual(
          [await barrier.state(ofRole), await barrier.state(elsewhere), await barrier.state(id)],
          ["unknown", "unknown", "prepared"],
        );
        await barrier.rollback(id);
        await other.unsafe(`rollback prepared 'notifyx:tests:${elsewhere}'`);
      });
    } finally {
      await sql.unsafe(`rollback prepared 'notifyx:tests:${ofRole}'`);
      await sql.unsafe(`drop role ${role}`);
    }
  });
});

Deno.test("barrier - PREPARE TRANSACTION that answers another tag is no vote of yes", async () => {
  // What it answers in a transaction that has failed. Here a message ends with the first statement that fails, so it is never asked then.
  for (const answer of [{ command: "ROLLBACK" }, [{ command: "INSERT" }, { command: "ROLLBACK" }], []]) {
    const sql = { unsafe: () => ({ simple: () => Promise.resolve(answer) }) } as unknown as Sql;
    await assert.rejects(new Barrier(sql, "tests").prepare(newId(), []), /PREPARE TRANSACTION answered/);
  }
});
