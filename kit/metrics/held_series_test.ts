/** Series that are held say what the library's own would. */

import assert from "node:assert/strict";
import { Counter, Histogram, Registry } from "prom-client";
import { seriesOf } from "./held_series.ts";
import { openMetrics } from "./open_metrics.ts";

const BUCKETS = [0.001, 0.5, 1, 10];
const LABELS = { service: 'a "name"', field: "b" };

function histogram() {
  const registry = new Registry();
  const config = { name: "test_seconds", help: "a test", labelNames: ["service", "field"], buckets: BUCKETS };
  return { registry, made: new Histogram({ ...config, registers: [registry] }) };
}

Deno.test("held series - the last that was traced of each bucket is its exemplar, for who asks for OpenMetrics", async () => {
  const { registry, made } = histogram();
  const series = seriesOf(made, LABELS);
  const total = new Counter({ name: "test_total", help: "a count", registers: [registry] });
  total.inc(3);
  const plain = await registry.metrics();
  for (const [value, traceId] of [[0.7, "a"], [0.2, undefined], [0.8, "b"], [10.5, "c"]] as const) {
    series.observe(value, traceId && { traceId });
  }
  const text = await openMetrics(registry);
  const bucket = (le: string, rest: string) =>
    new RegExp(
      `^test_seconds_bucket\\{le="${le.replace("+", "\\+")}",service="a \\\\"name\\\\"",field="b"\\} ${rest}$`,
      "m",
    );
  assert.match(text, bucket("0.5", "1"));
  assert.match(text, bucket("1", '3 # \\{trace_id="b"\\} 0\\.8 \\d+\\.\\d+'));
  assert.match(text, bucket("10", "3"));
  assert.match(text, bucket("+Inf", '4 # \\{trace_id="c"\\} 10\\.5 \\d+\\.?\\d*'));
  assert.match(text, /^# TYPE test counter\ntest_total 3$/m);
  assert.match(text, /\n# EOF\n$/);
  // Who doesn't ask for it gets what there was before, with its names.
  const after = await registry.metrics();
  assert.doesNotMatch(after, /trace_id|EOF/);
  assert.deepEqual(namesIn(after), namesIn(plain));
  assert.deepEqual(await openMetrics(registry), text);
});

function namesIn(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/ [\d.]+$/, ""));
}

Deno.test("held series - the same text as prom-client's own child gives, whatever is observed", async () => {
  const [ours, theirs] = [histogram(), histogram()];
  const series = seriesOf(ours.made, LABELS);
  const child = theirs.made.labels(LABELS);
  // Another way would be the library's own child, which is slow.
  assert.equal(series.constructor.name, "HeldSeries");
  for (const value of [0, 0.001, 0.0011, 0.5, 0.75, 1, 9.999, 10, 10.001, 1e9]) {
    series.observe(value);
    child.observe(value);
  }
  const text = await ours.registry.metrics();
  assert.equal(text, await theirs.registry.metrics());
  assert.match(text, /test_seconds_bucket\{le="10",service="a \\"name\\"",field="b"\} 8/);
  // It is shared with who counts in the library's own way, and with who holds it as well.
  for (const { made } of [ours, theirs]) {
    made.labels("c", "d").observe(2);
    made.observe({ field: "b", service: 'a "name"' }, 2);
  }
  seriesOf(ours.made, { service: "c", field: "d" }).observe(3);
  theirs.made.labels("c", "d").observe(3);
  series.observe(2);
  child.observe(2);
  assert.equal(await ours.registry.metrics(), await theirs.registry.metrics());
});
