/** Figures of calls, by instance, and those of instances that are gone. */

import assert from "node:assert/strict";
import type { Directory } from "../kit/directory.ts";
import { CallFigures } from "./call_figures.ts";
import { CallCancelled } from "./guards/lifetime.ts";

Deno.test("call figures - each instance's calls and failures, the times of the latest, and nothing of one that is gone", async () => {
  let live = ["one", "other"];
  let changed = () => {};
  const figures = new CallFigures({
    all: () => live.map((id) => ({ id })),
    onChange: (listener: () => void) => (changed = listener, () => {}),
  } as unknown as Directory);
  assert.deepEqual(figures.of("one"), { calls: 0, errors: 0, p50Ms: null, p99Ms: null });
  for (let call = 0; call < 1_000; call++) {
    assert.equal(await figures.measure("one", () => Promise.resolve(call)), call);
  }
  await assert.rejects(figures.measure("one", () => Promise.reject(new Error("away"))), /away/);
  // No fault of the instance.
  await assert.rejects(figures.measure("one", () => Promise.reject(new CallCancelled())), CallCancelled);
  await figures.measure("other", () => new Promise((resolve) => setTimeout(resolve, 20)));
  const { calls, errors, p50Ms, p99Ms } = figures.of("one");
  assert.deepEqual([calls, errors], [1_001, 1]);
  assert.ok(p50Ms! <= p99Ms! && p99Ms! < 20, `${p50Ms} ${p99Ms}`);
  assert.ok(figures.of("other").p50Ms! >= 19);
  live = ["one"];
  changed();
  assert.equal(figures.of("other").calls, 0);
  assert.equal(figures.of("one").calls, 1_001);
});
