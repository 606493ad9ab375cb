/** The catalogue of metrics by itself: its names, and its page. */

import assert from "node:assert/strict";
import { METRICS } from "./catalogue.ts";
import type { Definition } from "./definition.ts";
import { OF_DELIVERY } from "./of_delivery.ts";
import { OF_GATEWAY } from "./of_gateway.ts";
import { OF_PROCESSES } from "./of_processes.ts";
import { OF_SERVICES } from "./of_services.ts";
import { metricsPage, PAGE } from "./page.ts";

const ALL = Object.entries<Definition>(METRICS);

Deno.test("metrics - each is defined once", () => {
  const parts = [OF_PROCESSES, OF_GATEWAY, OF_DELIVERY, OF_SERVICES].flatMap((part) => Object.keys(part));
  assert.deepEqual([...parts].sort(), ALL.map(([name]) => name).sort());
});

Deno.test("metrics - names and labels are by Prometheus's conventions", () => {
  for (const [name, { type, labels, buckets, help }] of ALL) {
    assert.match(name, /^notifyx(_[a-z]+)+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    // What a histogram or a summary makes of its name must not be another's.
    assert.doesNotMatch(name, /_(count|sum|bucket|info_total)$/);
    if (type === "histogram") assert.match(name, /_(seconds|bytes)$/);
    for (const label of labels) {
      assert.match(label, /^[a-z]+$/);
      // Prometheus's own, and what would grow with people.
      assert.ok(!["job", "instance_id", "le", "user", "topic", "address", "operation_name"].includes(label), name);
    }
    assert.equal(buckets !== undefined, type === "histogram", name);
    if (buckets !== undefined) assert.deepEqual([...buckets], [...buckets].sort((a, b) => a - b), name);
    assert.match(help, /^[A-Z0-9].*[^.]$/);
  }
});

Deno.test("metrics - docs/metrics.md is what is generated from the catalogue", async () => {
  assert.equal(await Deno.readTextFile(PAGE), await metricsPage());
});
