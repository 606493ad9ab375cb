/** One execution for all listeners of a group, and their order whatever each takes. */

import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import type { Histogram } from "prom-client";
import { registry } from "../../kit/metrics.ts";
import { delay } from "../../kit/time.ts";
import { type Execution } from "./execution.ts";
import { Group } from "./group.ts";
import type { Listener } from "./listener.ts";

/** What a group sees of a listener. */
class Heard {
  readonly results: string[] = [];
  stopped = false;
  failed: unknown;
  readonly sink = { next: (payload: Uint8Array) => void this.results.push(Buffer.from(payload).toString()) };
  fail(error: unknown): void {
    this.stopped = true;
    this.failed = error;
  }
}

function group(execution: Execution, onEmpty = () => {}) {
  const made = new Group(execution, onEmpty);
  const deliver = (root: unknown, ...listeners: Heard[]) =>
    made.deliver(root as never, listeners as unknown as Listener[]);
  return { made, deliver };
}

/** Executions that end when they are told to. */
class Executed {
  readonly begun: unknown[] = [];
  readonly #ends = new Map<unknown, () => void>();
  readonly execution: Execution = (root) => {
    this.begun.push(root);
    const bytes = Buffer.from(`${root}`);
    // Even ones are done at once.
    if (Number(root) % 2 === 0) return bytes;
    return new Promise<Uint8Array>((resolve) => this.#ends.set(root, () => resolve(bytes)));
  };

  end(...roots: unknown[]): Promise<void> {
    for (const root of roots) this.#ends.get(root)!();
    return delay(0);
  }
}

Deno.test("group - one execution for all, and each has its results in the order of the events, whatever they take", async () => {
  const executed = new Executed();
  const { made, deliver } = group(executed.execution);
  const [ann, bob] = [new Heard(), new Heard()];
  deliver(0, ann, bob);
  assert.deepEqual([ann.results, made.settled()], [["0"], undefined]);
  deliver(1, ann, bob);
  deliver(2, ann);
  deliver(3, bob);
  deliver(4, ann, bob);
  assert.deepEqual(executed.begun, [0, 1, 2, 3, 4]);
  let settled = false;
  const settling = made.settled()!.then(() => settled = true);
  await executed.end(3);
  assert.deepEqual([ann.results, bob.results], [["0"], ["0"]]);
  await executed.end(1);
  assert.deepEqual([ann.results, bob.results], [["0", "1", "2", "4"], ["0", "1", "3", "4"]]);
  await settling;
  assert.ok(settled);
  deliver(6, ann);
  assert.equal(ann.results.at(-1), "6");
});

Deno.test("group - how long a notification took is told once for all groups that give it out in one turn", async () => {
  const times = registry.getSingleMetric("notifyx_delivery_duration_seconds") as Histogram;
  const figures = async () => {
    const { values } = await times.get();
    const of = (name: string) => values.find(({ metricName }) => metricName?.endsWith(name))!.value;
    return { count: of("_count"), sum: of("_sum") };
  };
  const before = await figures();
  const at = (agoMs: number) => ({ createdAt: new Date(Date.now() - agoMs).toISOString() });
  const [first, second] = [at(2_000), at(3_000)];
  for (const root of [first, second]) {
    for (const { deliver } of [group(() => Buffer.from("1")), group(() => Buffer.from("2"))]) {
      deliver(root, new Heard());
    }
  }
  assert.deepEqual(await figures(), before);
  await new Promise((resolve) => setImmediate(resolve));
  const after = await figures();
  assert.equal(after.count - before.count, 2);
  assert.ok(after.sum - before.sum >= 5 && after.sum - before.sum < 15);
  // What acknowledgements and others are is no notification.
  group(() => Buffer.from("3")).deliver({ at: first.createdAt }, new Heard());
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await figures()).count, after.count);
});

Deno.test("group - who stopped gets nothing of what was on its way", async () => {
  const executed = new Executed();
  const { deliver } = group(executed.execution);
  const [ann, bob] = [new Heard(), new Heard()];
  deliver(1, ann, bob);
  deliver(2, ann, bob);
  bob.stopped = true;
  await executed.end(1);
  assert.deepEqual([ann.results, bob.results], [["1", "2"], []]);
});

Deno.test("group - 64 are executed at once, and of 10,000 that wait the next is refused to its listeners", async () => {
  const executed = new Executed();
  const { deliver } = group(executed.execution);
  const [ann, late] = [new Heard(), new Heard()];
  const odd = Array.from({ length: 10_000 }, (_, nth) => 2 * nth + 1);
  for (const root of odd) deliver(root, ann);
  assert.equal(executed.begun.length, 64);
  deliver(1, late);
  assert.equal((late.failed as { code: string }).code, "SERVICE_UNAVAILABLE");
  assert.equal(ann.failed, undefined);
  for (let from = 0; from < odd.length; from += 64) await executed.end(...odd.slice(from, from + 64));
  assert.deepEqual(ann.results, odd.map(String));
});

Deno.test("group - who catches up shares what was executed, and it ends with its last listener", () => {
  let executions = 0;
  let empty = 0;
  const { made } = group((root) => (executions++, Buffer.from(`${root}`)), () => empty++);
  made.enter();
  made.enter();
  const first = made.payload("2 false", 2);
  assert.equal(made.payload("2 false", 2), first);
  made.payload("2 true", 2);
  const other = group((root) => (executions++, Buffer.from(`${root}`))).made;
  other.payload("2 false", 2);
  assert.equal(executions, 3);
  made.leave();
  assert.equal(empty, 0);
  made.leave();
  assert.equal(empty, 1);
});
