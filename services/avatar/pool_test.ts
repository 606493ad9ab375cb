/** The threads that draw: shared out, bounded, replaced when they die or hang, stopped. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import type { Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";
import type { Job } from "./job.ts";
import { MINUTE, SECOND } from "../../kit/time.ts";
import { until } from "../../tests/helpers/system.ts";
import { replaced, showState } from "./metrics.ts";
import { Pool, type PoolOptions } from "./pool.ts";

const FAULTY = new URL("testing/faulty_worker.ts", import.meta.url);

/** Its threads have started. */
async function start(options: Partial<PoolOptions> = {}): Promise<Pool & Disposable> {
  const pool = make(options);
  await until("all threads have started", () => pool.ready === pool.threads, MINUTE);
  return pool;
}

function make(options: Partial<PoolOptions> = {}): Pool & Disposable {
  const pool = new Pool({
    threads: 1,
    mostWaiting: 100,
    log: getLogger("test"),
    program: FAULTY,
    limitMs: 10 * SECOND,
    ...options,
  });
  return Object.assign(pool, { [Symbol.dispose]: () => pool.stop() });
}

const job = (letters: string, size = 64): Job => ({ id: "x", letters, style: "GITHUB", size });

Deno.test("pool - real threads draw what each was asked for", async () => {
  using pool = await start({ threads: 2, program: undefined });
  const pngs = await Promise.all(Array.from({ length: 50 }, (_, nth) => pool.draw(job("A", 16 + nth))));
  for (const [nth, png] of pngs.entries()) {
    assert.equal(String.fromCharCode(...png.subarray(1, 4)), "PNG");
    assert.equal(new DataView(png.buffer).getUint32(16), 16 + nth);
  }
});

Deno.test("pool - a thread may neither read, write, listen, run nor ask who we are, though this process may", async () => {
  using pool = await start();
  assert.deepEqual([...await pool.draw(job("may"))], [0]);
});

Deno.test("pool - what comes at once goes to a thread together, and to each its share", async () => {
  using pool = await start({ threads: 2 });
  const sizes = (await Promise.all(Array.from({ length: 8 }, () => pool.draw(job(""))))).map(([, together]) =>
    together
  );
  assert.deepEqual(sizes, Array(8).fill(4));
  const many = await Promise.all(Array.from({ length: 64 }, () => pool.draw(job(""))));
  assert.ok(many.every(([, together]) => together! <= 16));
});

Deno.test("pool - SERVICE_UNAVAILABLE with a time to come back where too many wait; those before are drawn", async () => {
  using pool = await start({ mostWaiting: 3 });
  const first = pool.draw(job("sleeps", 100));
  await Promise.resolve();
  const all = await Promise.allSettled([first, ...Array.from({ length: 5 }, () => pool.draw(job("")))]);
  assert.deepEqual(all.map(({ status }) => status), [...Array(4).fill("fulfilled"), "rejected", "rejected"]);
  const { code, extensions } = (all[4] as PromiseRejectedResult).reason;
  assert.deepEqual([code, extensions.retryAfterSeconds], ["SERVICE_UNAVAILABLE", 1]);
});

for (const [how, limitMs] of [["dies", MINUTE], ["hangs", SECOND]] as const) {
  Deno.test(`pool - a thread that ${how} is replaced; the job that did it fails alone`, async () => {
    using pool = await start({ limitMs });
    const all = await Promise.allSettled([job(""), job(how), job(""), job("")].map((one) => pool.draw(one)));
    assert.deepEqual(all.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled", "fulfilled"]);
    assert.equal((all[1] as PromiseRejectedResult).reason.code, "TIMEOUT");
    assert.equal((await pool.draw(job("")))[1], 1);
  });
}

Deno.test("pool - what can't be drawn is INTERNAL, and its neighbours are drawn", async () => {
  using pool = await start();
  const all = await Promise.allSettled([job(""), job("fails"), job("")].map((one) => pool.draw(one)));
  assert.deepEqual(all.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  assert.equal((all[1] as PromiseRejectedResult).reason.code, "INTERNAL");
});

Deno.test("pool - at the stop nobody is left waiting", async () => {
  const pool = await start();
  const all = Promise.allSettled([job("sleeps", 10_000), job("")].map((one) => pool.draw(one)));
  await Promise.resolve();
  const later = pool.draw(job(""));
  pool.stop();
  for (const one of [...await all, ...await Promise.allSettled([later, pool.draw(job(""))])]) {
    assert.equal((one as PromiseRejectedResult).reason.code, "SERVICE_UNAVAILABLE");
  }
});

Deno.test("pool - who asks before a thread has started waits for it", async () => {
  using pool = make();
  assert.equal(pool.ready, 0);
  assert.equal((await pool.draw(job("")))[1], 1);
  assert.equal(pool.ready, 1);
});

Deno.test("pool - what its threads do is told, and what waits, of what may", async () => {
  using pool = make({ threads: 2, mostWaiting: 7 });
  showState({ bytes: 5, mostBytes: 10 }, pool);
  const values = async (name: string) => (await (registry.getSingleMetric(name) as Gauge).get()).values;
  const threads = async () =>
    Object.fromEntries((await values("notifyx_avatar_threads")).map(({ labels, value }) => [labels.state, value]));
  assert.deepEqual(await threads(), { busy: 0, idle: 0, starting: 2 });
  await until("all threads have started", () => pool.ready === pool.threads, MINUTE);
  const drawn = pool.draw(job("sleeps", 100));
  await Promise.resolve();
  assert.deepEqual(await threads(), { busy: 1, idle: 1, starting: 0 });
  assert.equal((await values("notifyx_avatars_waiting"))[0]!.value, 0);
  assert.equal((await values("notifyx_avatars_waiting_limit"))[0]!.value, 7);
  await drawn;
  assert.deepEqual(await threads(), { busy: 0, idle: 2, starting: 0 });
});

for (const [how, startLimitMs] of [["dies", MINUTE], ["says nothing", SECOND / 5]] as const) {
  Deno.test(`pool - where no thread starts (it ${how}), nobody is left waiting, and another one is tried later`, async () => {
    const program = new URL(how === "dies" ? "testing/broken_worker.ts" : "testing/silent_worker.ts", import.meta.url);
    using pool = make({ program, startLimitMs });
    await assert.rejects(pool.draw(job("")), { code: "SERVICE_UNAVAILABLE" });
    assert.equal(pool.ready, 0);
    // Not at once, or a core would be busy with it.
    const before = await replacements();
    await assert.rejects(pool.draw(job("")), { code: "SERVICE_UNAVAILABLE" });
    assert.equal(await replacements() - before, 1);
  });
}

async function replacements(): Promise<number> {
  return (await replaced.get()).values[0]?.value ?? 0;
}
