/** Figures of an instance's calls. */

import assert from "node:assert/strict";
import { CallTimes, NO_CALLS } from "./call_times.ts";

Deno.test("call times - how many calls, how many failed, and how long the latest took", () => {
  const times = new CallTimes();
  assert.deepEqual(times.figures(), NO_CALLS);
  for (let call = 1; call <= 1_000; call++) times.add(call, call % 100 === 0);
  // Of 489 to 1,000, which are kept.
  assert.deepEqual(times.figures(), { calls: 1_000, errors: 10, p50Ms: 744, p99Ms: 995 });
});
