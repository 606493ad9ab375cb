/** How a drain is planned, so that it ends in time. */

import assert from "node:assert/strict";
import { drainInBatches, plan } from "./drain.ts";

const BY_DEFAULT = { batch: 500, intervalMs: 250, withinMs: 7_000 };

/** How long a plan takes, in milliseconds. */
const takes = (sockets: number, options: typeof BY_DEFAULT) => {
  const { size, intervalMs } = plan(sockets, options);
  return Math.ceil(sockets / size) * intervalMs;
};

Deno.test("drain - as many at once as is set, and more where the time would not do", () => {
  assert.deepEqual(plan(10_000, BY_DEFAULT), { size: 500, intervalMs: 250 });
  assert.deepEqual(plan(28_000, BY_DEFAULT), { size: 1_000, intervalMs: 250 });
  assert.deepEqual(plan(10_000, { ...BY_DEFAULT, withinMs: 0 }), { size: 10_000, intervalMs: 0 });
  for (const sockets of [0, 1, 499, 500, 501, 9_999, 20_000, 1_000_000]) {
    for (const batch of [1, 7, 500, 100_000]) {
      for (const intervalMs of [1, 250, 60_000]) {
        for (const withinMs of [0, 1, 2_100, 7_000]) {
          const options = { batch, intervalMs, withinMs };
          assert.ok(takes(sockets, options) <= withinMs, `${sockets} ${JSON.stringify(options)}`);
        }
      }
    }
  }
});

Deno.test("drain - a few sockets take a part of the interval alone, and none no time", async () => {
  assert.deepEqual(plan(50, BY_DEFAULT), { size: 500, intervalMs: 25 });
  let drained = 0;
  const sockets = Array.from({ length: 20 }, () => ({ drain: () => void drained++ }));
  await drainInBatches(sockets, BY_DEFAULT);
  assert.equal(drained, 20);
  const startedAt = performance.now();
  await drainInBatches([], { ...BY_DEFAULT, intervalMs: 60_000 });
  assert.ok(performance.now() - startedAt < 100);
});
