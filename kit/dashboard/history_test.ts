/** The ring of an hour's points. */

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { History, STEPS } from "./history.ts";

Deno.test("history - points by step, and null where nothing is known", () => {
  const history = new History(["a", "b"]);
  assert.deepEqual(history.points(), { until: 0, series: { a: [], b: [] } });
  history.put(10, "a", 1);
  history.put(12, "a", 3.000_01);
  history.put(12, "b", NaN);
  history.put(12, "c", 1);
  assert.deepEqual(history.points(), { until: 12, series: { a: [1, null, 3], b: [null, null, null] } });
  assert.deepEqual(history.points(11), { until: 12, series: { a: [3], b: [null] } });
  assert.deepEqual(history.points(undefined, 11), { until: 11, series: { a: [1, null], b: [null, null] } });
  assert.deepEqual(history.points(12), { until: 12, series: { a: [], b: [] } });
  // Before its first point and behind its last.
  assert.deepEqual([history.at(9, "a"), history.at(10, "a"), history.at(13, "a")], [null, 1, null]);
});

Deno.test("history - values of several processes are summed, or the highest counts, also where one comes late", () => {
  const history = new History(["sum", "most"]);
  for (const [step, value] of [[5, 2], [6, 1], [5, 3]] as const) {
    history.put(step, "sum", value, "sum");
    history.put(step, "most", value, "most");
  }
  history.put(6, "sum", null, "sum");
  assert.deepEqual(history.points().series, { sum: [5, 1], most: [3, 1] });
});

Deno.test("history - an hour is kept and no more, whatever comes in whatever order", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 10_000 }),
    fc.array(fc.tuple(fc.integer({ min: -30, max: 900 }), fc.integer({ min: 0, max: 9 })), { maxLength: 200 }),
    (start, moves) => {
      const history = new History(["x"]);
      const expected = new Map<number, number>();
      let newest = start + STEPS;
      history.put(newest, "x", 1);
      expected.set(newest, 1);
      for (const [by, value] of moves) {
        const step = Math.max(0, newest + by);
        history.put(step, "x", value);
        newest = Math.max(newest, step);
        expected.set(step, value);
        for (const old of expected.keys()) if (old <= newest - STEPS) expected.delete(old);
      }
      const { until, series } = history.points();
      const oldest = Math.min(...expected.keys());
      assert.equal(until, newest);
      assert.ok(series.x!.length <= STEPS && series.x!.length >= newest - oldest + 1);
      series.x!.forEach((value, at) => assert.equal(value, expected.get(until - series.x!.length + 1 + at) ?? null));
    },
  ));
});
