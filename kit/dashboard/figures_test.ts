/** Figures from metrics: rates, gauges, quantiles of the last minute. */

import assert from "node:assert/strict";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type Figure, gauge, quantile, rate, type Source } from "./figures.ts";
import { inWords } from "./format.js";
import { Sampler } from "./sampler.ts";
import { delay } from "../time.ts";

function figure(key: string, of: Source, wrong?: Figure["wrong"]): Figure {
  return { key, label: key, unit: "count", of, wrong };
}

/** What a source says when its metrics have these values, one step of five seconds after the other. */
async function steps(source: Source, registry: Registry, ...changes: (() => void)[]): Promise<(number | null)[]> {
  const follow = source.follow();
  const said: (number | null)[] = [];
  for (const change of changes) {
    change();
    const values = new Map(
      await Promise.all(
        source.metrics.map(async (name) => [name, (await registry.getSingleMetric(name)?.get())?.values] as const),
      ),
    );
    said.push(follow((name) => values.get(name), 5));
  }
  return said;
}

Deno.test("figures - a rate is what counters rose by in a second, of those labels that are wanted", async () => {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ name: "notifyx_transactions_total", help: "a", labelNames: ["kind"], registers });
  const histogram = new Histogram({ name: "notifyx_delivery_duration_seconds", help: "b", buckets: [1], registers });
  const of = rate({ metric: "notifyx_transactions_total", where: ({ kind }) => kind === "good" }, {
    metric: "notifyx_delivery_duration_seconds",
  });
  assert.deepEqual(
    await steps(
      of,
      registry,
      () => counter.inc({ kind: "good" }, 100),
      () => counter.inc({ kind: "bad" }, 50),
      () => counter.inc({ kind: "good" }, 5),
      () => [1, 2, 3].forEach((value) => histogram.observe(value)),
      // A counter that began anew counts from zero.
      () => (counter.reset(), counter.inc({ kind: "good" }, 7)),
    ),
    [null, 0, 1, 0.6, 2],
  );
  assert.deepEqual(await steps(rate({ metric: "notifyx_mail_failed" }), registry, () => {}, () => {}), [null, null]);
});

Deno.test("figures - a gauge over its labels is their sum or the highest", async () => {
  const registry = new Registry();
  const shown = new Gauge({
    name: "notifyx_database_size_bytes",
    help: "a",
    labelNames: ["of"],
    registers: [registry],
  });
  assert.deepEqual(await steps(gauge({ metric: "notifyx_database_size_bytes" }), registry, () => {}), [null]);
  const set = () => {
    shown.set({ of: "one" }, 1);
    shown.set({ of: "other" }, 3);
  };
  assert.deepEqual(await steps(gauge({ metric: "notifyx_database_size_bytes" }), registry, set), [4]);
  assert.deepEqual(await steps(gauge({ metric: "notifyx_database_size_bytes" }, "most"), registry, set), [3]);
});

Deno.test("figures - a quantile is that of the last minute alone, within its bucket as Prometheus reckons it", async () => {
  const registry = new Registry();
  const histogram = new Histogram({
    name: "notifyx_http_request_duration_seconds",
    help: "a",
    labelNames: ["of"],
    buckets: [1, 2, 4],
    registers: [registry],
  });
  const observe = (value: number, times: number) => () => {
    for (let time = 0; time < times; time++) histogram.observe({ of: time % 2 === 0 ? "one" : "other" }, value);
  };
  const nothing = () => {};
  const quiet = Array.from({ length: 12 }, () => nothing);
  const said = await steps(
    quantile(0.95, { metric: "notifyx_http_request_duration_seconds" }),
    registry,
    observe(0.5, 1_000),
    nothing,
    observe(1.5, 100),
    ...quiet,
    observe(100, 1),
  );
  assert.deepEqual(said.slice(0, 2), [null, null]);
  // 95 of 100 in the bucket from 1 to 2; for the eleven steps after that as well, and then no more.
  assert.deepEqual(said.slice(2, 14), Array(12).fill(1.95));
  assert.equal(said[14], null);
  // Over the highest bound nobody knows how far.
  assert.equal(said[15], 4);
});

Deno.test("sampler - takes its figures at once and each five seconds, says what is wrong, and stops at once", async () => {
  const registry = new Registry();
  const queue = new Gauge({ name: "notifyx_mail_queue_depth", help: "a queue", registers: [registry] });
  new Gauge({
    name: "notifyx_database_up",
    help: "a metric that fails",
    registers: [registry],
    collect: () => Promise.reject(new Error("no database")),
  });
  queue.set(7);
  let asked = 0;
  const figures = [
    figure("queue", gauge({ metric: "notifyx_mail_queue_depth" }), (value) => value > 5 ? `${value} wait` : undefined),
    figure("failing", gauge({ metric: "notifyx_database_up" })),
    figure("none", gauge({ metric: "notifyx_mail_failed" })),
  ];
  const sampler = new Sampler(registry, figures, () => asked++);
  sampler.start();
  await delay(20);
  assert.equal(asked, 1);
  assert.deepEqual(sampler.history.points().series, { queue: [7], failing: [null], none: [null] });
  assert.deepEqual(sampler.wrong, [{ key: "queue", words: "7 wait" }]);
  const began = performance.now();
  await sampler.stop();
  assert.ok(performance.now() - began < 1_000);
});

Deno.test("figures - are written with three digits and the unit that fits", () => {
  const written: [Parameters<typeof inWords>, string][] = [
    [[null, "count"], "–"],
    [[0, "perSecond"], "0/s"],
    [[0.2, "perSecond"], "0.2/s"],
    [[1234.5, "perSecond"], "1,235/s"],
    [[0, "seconds"], "0 s"],
    [[0.000_04, "seconds"], "40 µs"],
    [[0.012_34, "seconds"], "12.3 ms"],
    [[0.96, "seconds"], "0.96 s"],
    [[90, "seconds"], "90 s"],
    [[150, "seconds"], "2.5 min"],
    [[9_000, "seconds"], "2.5 h"],
    [[150 * 1024 ** 2, "bytes"], "150 MiB"],
    [[3 * 1024 ** 3, "bytes"], "3 GiB"],
    [[0.5, "share"], "50 %"],
    [[12, "count"], "12"],
  ];
  for (const [args, expected] of written) assert.equal(inWords(...args), expected);
});
