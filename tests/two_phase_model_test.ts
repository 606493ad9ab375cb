/**
 * The property that the two-phase commit stands for, tried on thousands of scenarios of tests/model/: whatever is lost, repeated, late
 * or killed, all participants agree in the end, no decision is reversed, nothing stays prepared, and what a sender is told is true.
 *
 * A failure prints the scenario, shrunk, and how to run it again: NOTIFYX_TEST_SEED and NOTIFYX_TEST_PATH; NOTIFYX_TEST_RUNS is how many.
 */

import fc from "fast-check";
import assert from "node:assert/strict";
import { type Scenario, scenario } from "./model/scenario.ts";
import { BROKEN, type Broken, type Result, simulate, type Told } from "./model/world.ts";

const RUNS = 2_000;
/** How many runs have to be enough to find a rule that was broken on purpose. */
const RUNS_TO_FIND = 1_000;

Deno.test("two-phase model - all agree, no decision is reversed, nothing stays prepared, and answers are true", async () => {
  const seed = numberFrom("NOTIFYX_TEST_SEED");
  const path = Deno.env.get("NOTIFYX_TEST_PATH");
  const numRuns = numberFrom("NOTIFYX_TEST_RUNS") ?? RUNS;
  const counts: Record<Told, number> = { committed: 0, aborted: 0, unknown: 0 };
  const failed = await falsify({ numRuns, seed, path }, undefined, ({ told }) => {
    for (const one of told.values()) counts[one]++;
  });
  if (failed === undefined) {
    console.log(`${numRuns} runs; senders were told ${JSON.stringify(counts)}`);
    // A model in which nothing gets that far shows nothing.
    const isWide = counts.committed > numRuns / 2 && counts.aborted > numRuns / 2 && counts.unknown > numRuns / 50;
    assert.ok(path !== undefined || isWide, JSON.stringify(counts));
    return;
  }
  const again = `NOTIFYX_TEST_SEED=${failed.seed} NOTIFYX_TEST_PATH=${failed.counterexamplePath}`;
  throw new Error(`${await report(failed)}\nagain: ${again} deno task test tests/two_phase_model_test.ts`);
});

Deno.test("two-phase model - the property finds each rule that is broken on purpose", async (t) => {
  for (const broken of BROKEN) {
    await t.step(broken, async () => {
      const failed = await falsify({ numRuns: RUNS_TO_FIND, seed: 1, endOnFailure: true }, broken);
      if (failed === undefined) throw new Error(`not found in ${RUNS_TO_FIND} runs`);
      const again = { numRuns: 1, seed: failed.seed, path: failed.counterexamplePath!, endOnFailure: true };
      assert.ok(await falsify(again, broken) !== undefined, "its seed and path show it again");
      if (Deno.env.get("NOTIFYX_TEST_VERBOSE") === "1") {
        console.log(`after ${failed.numRuns} runs:`, await report(failed, broken));
      }
    });
  }
});

type Failure = fc.RunDetails<[Scenario]>;

/** Undefined when the property held in all runs. */
async function falsify(
  parameters: fc.Parameters<[Scenario]>,
  broken?: Broken,
  each: (result: Result) => void = () => {},
): Promise<Failure | undefined> {
  const property = fc.asyncProperty(scenario, async (given) => {
    const result = await simulate(given, broken);
    each(result);
    return result.violations.length === 0;
  });
  const details = await fc.check(property, parameters);
  return details.failed ? details : undefined;
}

async function report({ counterexample }: Failure, broken?: Broken): Promise<string> {
  const [given] = counterexample!;
  return [...new Set((await simulate(given, broken)).violations), JSON.stringify(given)].join("\n");
}

function numberFrom(name: string): number | undefined {
  const text = Deno.env.get(name);
  return text === undefined ? undefined : Number(text);
}
