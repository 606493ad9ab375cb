/**
 * Whether a participant of two-phase commit, in whatever language, keeps to docs/participant.md: asked by HTTP, in a coordinator's
 * place. In: where it is and an input that it agrees to. Out: steps of a test, each of which fails by naming what was asked and when.
 */

import assert from "node:assert/strict";
import { call, type CallAnswer } from "../../kit/call.ts";
import { newId } from "../../kit/ids.ts";
import { MINUTE, SECOND } from "../../kit/time.ts";

export interface Subject {
  /** The base of its routes. */
  readonly url: string;
  readonly secret: string;
  readonly operation: string;
  /** An input that it agrees to. */
  input(transactionId: string): unknown;
  /** One that it refuses, with the code and the text of its vote. */
  readonly refused: { input(transactionId: string): unknown; readonly code: string; readonly error: string };
  /** How many times the work of a transaction is to be seen by whoever reads. */
  done(transactionId: string): Promise<number>;
}

type Step = "prepare" | "commit" | "rollback";
type State = "unknown" | "prepared" | "committed" | "aborted";
type Rule = readonly [status: number, body: Readonly<Record<string, unknown>>, next: State];

const ROUTES = {
  prepare: { method: "POST", path: "/api/prepare_2pc" },
  commit: { method: "POST", path: "/api/commit_2pc" },
  rollback: { method: "DELETE", path: "/api/rollback_2pc" },
} as const;
const STEPS = ["prepare", "commit", "rollback"] as const;

const [YES, COMMITTED, ABORTED] = [{ vote: "yes" }, { state: "committed" }, { state: "aborted" }];
/** What each step answers in each state, and what state follows: the table of docs/participant.md. */
const RULES: Record<Step, Record<State, Rule>> = {
  prepare: {
    unknown: [200, YES, "prepared"],
    prepared: [200, YES, "prepared"],
    committed: [200, YES, "committed"],
    aborted: [409, { vote: "no", code: "TRANSACTION_ABORTED" }, "aborted"],
  },
  commit: {
    unknown: [409, {}, "unknown"],
    prepared: [200, COMMITTED, "committed"],
    committed: [200, COMMITTED, "committed"],
    aborted: [409, {}, "aborted"],
  },
  rollback: {
    unknown: [200, ABORTED, "aborted"],
    prepared: [200, ABORTED, "aborted"],
    committed: [409, {}, "committed"],
    aborted: [200, ABORTED, "aborted"],
  },
};

/** How many orders are tried at once. */
const AT_ONCE = 8;
const ROUNDS = 10;

export async function checkParticipant(t: Deno.TestContext, subject: Subject): Promise<void> {
  await t.step("each step twice, in all 90 orders: answers, states and work are those of the table", async () => {
    const left = orders(["prepare", "prepare", "commit", "commit", "rollback", "rollback"]);
    assert.equal(left.length, 90);
    const worker = async () => {
      for (let steps = left.pop(); steps !== undefined; steps = left.pop()) await checkOrder(subject, steps);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  });

  await t.step("all steps at once: one outcome, which every answer agrees with", async () => {
    for (let round = 0; round < ROUNDS; round++) await checkRace(subject, round % 2 > 0);
  });

  await t.step("what it refuses is a vote of no with its reason, and nothing is left of it", async () => {
    const id = newId();
    const { code, error } = subject.refused;
    const answer = await ask(subject, "prepare", { ...prepareBody(subject, id), input: subject.refused.input(id) });
    assert.equal(answer.status, 409);
    assertHolds(answer.body, { vote: "no", code, error }, "the vote");
    await checkState(subject, id, "unknown", "after a vote of no");
    await checkStep(subject, id, "rollback", "unknown", "after a vote of no");
  });

  await t.step(
    "it refuses what it can't know, and what is no transaction, and ignores what it doesn't need",
    async () => {
      const id = newId();
      const body = prepareBody(subject, id);
      assert.equal((await ask(subject, "prepare", { ...body, operation: "makeCoffee" })).status, 400);
      for (const wrong of ["", "'; drop table", "a".repeat(65), "ä", "a\n", 7, undefined]) {
        for (const step of STEPS) {
          const { status } = await ask(subject, step, { ...body, transactionId: wrong });
          assert.equal(status, 400, `${step} of ${JSON.stringify(wrong)}`);
        }
      }
      await checkState(subject, id, "unknown", "after refusals");
      assert.equal((await ask(subject, "prepare", { ...body, later: "versions may add this" })).status, 200);
      assert.equal((await ask(subject, "rollback", { transactionId: id, later: true })).status, 200);
    },
  );

  await t.step("only members of the cluster may ask", async () => {
    const id = newId();
    for (const secret of [undefined, "", `${subject.secret}x`, subject.secret.slice(1)]) {
      for (const step of STEPS) {
        const { status } = await ask({ ...subject, secret }, step, prepareBody(subject, id));
        assert.equal(status, 401, `${step} with ${secret}`);
      }
    }
    await checkStep(subject, id, "commit", "unknown", "after strangers");
  });
}

async function checkOrder(subject: Subject, steps: readonly Step[]): Promise<void> {
  const id = newId();
  let state: State = "unknown";
  for (const [at, step] of steps.entries()) {
    const place = `${steps.slice(0, at + 1).join(", ")} (${id})`;
    await checkStep(subject, id, step, state, place);
    state = RULES[step][state][2];
    await checkState(subject, id, state, place);
  }
}

async function checkStep(subject: Subject, id: string, step: Step, state: State, place: string): Promise<void> {
  const [status, expected] = RULES[step][state];
  const answer = await ask(subject, step, prepareBody(subject, id));
  const shown = `${step} when ${state}: ${JSON.stringify(answer.body)}; ${place}`;
  assert.equal(answer.status, status, shown);
  assertHolds(answer.body, expected, shown);
  if (status !== 200) assert.equal(typeof (answer.body as { error?: unknown }).error, "string", shown);
}

/** The work is seen exactly when it is committed; the route for the console is optional. */
async function checkState(subject: Subject, id: string, state: State, place: string): Promise<void> {
  assert.equal(await subject.done(id), state === "committed" ? 1 : 0, `work that is ${state}; ${place}`);
  const { url, secret } = subject;
  const answer = await call(`${url}/api/transactions_2pc/${id}`, { secret, limitMs: 5 * SECOND });
  if (answer.status !== 404) assertHolds(answer.body, { state }, place);
}

async function checkRace(subject: Subject, isPrepared: boolean): Promise<void> {
  const id = newId();
  const body = prepareBody(subject, id);
  if (isPrepared) await ask(subject, "prepare", body);
  const steps: Step[] = ["prepare", "commit", "rollback", "commit", "rollback", "prepare"];
  const answers = await Promise.all(steps.map((step) => ask(subject, step, body)));
  const shown = steps.map((step, at) => `${step} ${answers[at]!.status}`).join(", ");
  const accepted = new Set(steps.filter((step, at) => step !== "prepare" && answers[at]!.status === 200));
  // Before anything was prepared, both commits may come too early; a rollback always has an outcome.
  assert.equal(accepted.size, 1, shown);
  const outcome = accepted.has("commit") ? "committed" : "aborted";
  for (const [at, { status }] of answers.entries()) assert.ok(status === 200 || status === 409, `${at}: ${shown}`);
  await checkState(subject, id, outcome, shown);
}

function prepareBody({ operation, input }: Subject, transactionId: string): Record<string, unknown> {
  return { transactionId, operation, input: input(transactionId), deadlineMs: MINUTE };
}

function ask(subject: Pick<Subject, "url"> & { secret?: string }, step: Step, body: unknown): Promise<CallAnswer> {
  const { method, path } = ROUTES[step];
  return call(subject.url + path, { method, body, secret: subject.secret, limitMs: 10 * SECOND });
}

/** An answer may hold more than the contract names. */
function assertHolds(body: unknown, expected: Readonly<Record<string, unknown>>, shown: string): void {
  const given = (body ?? {}) as Record<string, unknown>;
  const named = Object.fromEntries(Object.keys(expected).map((key) => [key, given[key]]));
  assert.deepEqual(named, expected, shown);
}

/** Every order of `steps`, each once. */
function orders(steps: readonly Step[]): Step[][] {
  if (steps.length === 0) return [[]];
  return [...new Set(steps)].flatMap((first) =>
    orders(steps.toSpliced(steps.indexOf(first), 1)).map((rest) => [first, ...rest])
  );
}
