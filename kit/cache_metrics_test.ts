import assert from "node:assert/strict";
import { lookupsOf, measureCache } from "./cache_metrics.ts";
import { registry } from "./metrics.ts";

Deno.test("cache metrics - what is told is of the cache that has the name now, and counts of all that had it", async () => {
  measureCache("test", { size: 3, max: 10 });
  lookupsOf("test").hits += 2;
  assert.deepEqual(await told(), [
    'notifyx_cache_entries{cache="test"} 3',
    'notifyx_cache_entries_limit{cache="test"} 10',
    'notifyx_cache_lookups_total{cache="test",found="yes"} 2',
    'notifyx_cache_lookups_total{cache="test",found="no"} 0',
  ]);
  measureCache("test", { size: 0, max: 5 });
  lookupsOf("test").hits++;
  lookupsOf("test").misses++;
  assert.deepEqual(await told(), [
    'notifyx_cache_entries{cache="test"} 0',
    'notifyx_cache_entries_limit{cache="test"} 5',
    'notifyx_cache_lookups_total{cache="test",found="yes"} 3',
    'notifyx_cache_lookups_total{cache="test",found="no"} 1',
  ]);
});

async function told(): Promise<string[]> {
  return (await registry.metrics()).split("\n").filter((line) => line.includes('cache="test"'));
}
