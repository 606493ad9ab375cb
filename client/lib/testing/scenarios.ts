/**
 * What the library does with a server that behaves badly, as a program for any runtime: `scenarios.ts LIBRARY SERVER`. It ends by itself,
 * which it can't where a timer or a socket is left, and says what was right, a line each.
 */

import assert from "node:assert/strict";
import process from "node:process";
import type * as library from "../mod.ts";
import type { Script } from "./bad_server.ts";

const [path, server] = process.argv.slice(2) as [string, string];
const { createNotifyx, NotifyxError }: typeof library = await import(path);
const TIMING = { retryMs: [2, 40], pingMs: 100, limitMs: 400 } as const;
/** Several times what each takes on a busy machine. */
const SCENARIO_LIMIT_MS = 90_000;
const RECONNECTS = 1_000;
/** By how much the heap may have grown from the 100th reconnection to the last, in bytes; a client kept of each would be several times that. */
const MOST_GROWTH = 2_000_000;

interface Stats {
  readonly connections: number;
  readonly open: number;
  readonly sendTries: number;
  readonly sent: readonly string[];
}

/** A client of a new run of that script, and what the server saw of it. */
async function begin(script: Script, options: Partial<library.NotifyxOptions> = {}) {
  const id = await (await fetch(`${server}/runs`, { method: "POST", body: JSON.stringify(script) })).json();
  const url = `${server}/run/${id}/graphql`;
  const notifyx = createNotifyx({ url, token: "token", timing: TIMING, ...options });
  return { notifyx, stats: async (): Promise<Stats> => await (await fetch(url)).json() };
}

async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  for (let waited = 0; !await holds(); waited += 5) {
    if (waited > limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The numbers of what the loop gets, until the last is there. */
async function receive(notifyx: library.Notifyx, total: number, each?: (number: number) => void): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { message } of notifyx.notifications()) {
    numbers.push(Number(message.split(" ")[1]));
    each?.(numbers.length);
    if (numbers.at(-1) === total) return numbers;
  }
  throw new Error("the loop has ended");
}

const all = (total: number) => Array.from({ length: total }, (_, index) => index + 1);

async function closed({ notifyx, stats }: Awaited<ReturnType<typeof begin>>): Promise<void> {
  notifyx.close();
  await until("all is closed", async () => (await stats()).open === 0);
}

function heapUsed(): number {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
  for (let times = 0; times < 3; times++) gc ? gc() : Bun?.gc(true);
  return process.memoryUsage().heapUsed;
}

const scenarios: Record<string, () => Promise<void>> = {
  async "every mishap in a row: nothing missed, nothing twice, in order"() {
    const connections = [
      "refused",
      "never upgraded",
      "never acknowledged",
      "no acknowledgement first",
      ..."1000 1001 1008 1011 1012 1013 4400 4408 4409 4429 4500".split(" "),
      ...["no JSON", "a list", "another type", "binary", "no payload", "errors that are no list", "nobody's", "again"],
      ...["cut", "silent", "half open"],
      ...["no data", "again", "nothing in it", "again"],
      ..."SERVICE_UNAVAILABLE cut TIMEOUT cut TOO_MANY_REQUESTS cut RATE_LIMITED cut INTERNAL cut".split(" "),
    ];
    const total = 3 * connections.length;
    const one = await begin({ connections, total, each: 2 });
    const reasons: (string | undefined)[] = [];
    one.notifyx.connection.subscribe(({ state, reason }) => state === "lost" && reasons.push(reason));
    assert.deepEqual(await receive(one.notifyx, total), all(total));
    assert.ok(reasons.includes("closed with 1013 as the script says"), `${reasons}`);
    assert.ok(reasons.includes("the connection went silent"), `${reasons}`);
    assert.deepEqual(reasons.filter((reason) => !reason || reason.includes("[object")), []);
    await closed(one);
  },

  async "4403: the session has ended, told once, and nothing is tried again"() {
    const one = await begin({ connections: ["cut", "4403"], total: 10, each: 2 });
    const ends: library.NotifyxError[] = [];
    one.notifyx.on("sessionEnded", (error) => ends.push(error));
    const loops = [receive(one.notifyx, 10), receive(one.notifyx, 10)];
    for (const loop of loops) await assert.rejects(loop, { code: "UNAUTHENTICATED", message: "the session has ended" });
    await assert.rejects(one.notifyx.send("t", "after it"), { code: "UNAUTHENTICATED" });
    assert.deepEqual([ends.length, one.notifyx.connection.value.state], [1, "ended"]);
    const { connections } = await one.stats();
    await new Promise((resolve) => setTimeout(resolve, 2 * TIMING.retryMs[1]));
    assert.deepEqual([(await one.stats()).connections, connections], [2, 2]);
    await closed(one);
  },

  async "a page that is hidden and shown all the time: a socket that went silent is found dead nevertheless"() {
    const one = await begin({ connections: ["silent"], total: 4, each: 2 });
    const waking = setInterval(() => globalThis.dispatchEvent?.(new Event("visibilitychange")), TIMING.limitMs / 8);
    try {
      assert.deepEqual(await receive(one.notifyx, 4), all(4));
    } finally {
      clearInterval(waking);
    }
    await closed(one);
  },

  async "a cursor that has expired: the app is told, and it goes on from the oldest"() {
    const saved: string[] = [];
    const cursor = { load: () => "c3", save: (cursor: string) => void saved.push(cursor) };
    const one = await begin({ connections: ["cut"], total: 20, each: 4, oldest: 10 }, { cursor });
    const told: unknown[] = [];
    const counts: number[] = [];
    one.notifyx.on("cursorExpired", ({ after, oldestCursor, inbox }) => told.push([after, oldestCursor, inbox[0]?.id]));
    one.notifyx.on("caughtUp", ({ count }) => counts.push(count));
    assert.deepEqual(await receive(one.notifyx, 20), all(20).slice(10));
    assert.deepEqual(told, [["c3", "c10", "n20"]]);
    // The last one was handed out; that it was had would be known when the next is asked for.
    assert.deepEqual(saved, all(19).slice(10).map((number) => `c${number}`));
    await closed(one);
  },

  async "sends: each once and in order, whatever becomes of them; what can't be sent says why"() {
    const sends = ["cut", "done and cut", "silence", "busy", "away", "proxy", "done and broken", "done", "refused"];
    const one = await begin({ connections: [], total: 1, each: 1, sends }, { queue: 5 });
    const waiting = all(5).map((number) => one.notifyx.send("t", `send ${number}`));
    assert.equal(one.notifyx.sending.value, 5);
    await assert.rejects(one.notifyx.send("t", "one too many"), { code: "QUEUE_FULL" });
    const outcomes = await Promise.allSettled(waiting);
    assert.deepEqual(outcomes.map((one) => one.status === "fulfilled" ? "sent" : one.reason.code), [
      "sent",
      "FORBIDDEN",
      "sent",
      "sent",
      "sent",
    ]);
    assert.deepEqual((await one.stats()).sent, ["send 1", "send 3", "send 4", "send 5"]);
    assert.equal(one.notifyx.sending.value, 0);
    await closed(one);
    await assert.rejects(
      one.notifyx.send("t", "after it"),
      (error) => error instanceof NotifyxError && error.code === "CLOSED",
    );
  },

  async "the clock is set while it waits and while it runs: nothing hangs, nothing is lost"() {
    const { now } = Date;
    const hour = 3_600_000;
    try {
      const connections = ["cut", "silent", "1013", "half open", "cut"];
      const one = await begin({ connections, total: 30, each: 3, sends: ["away", "cut", "silence"] });
      const sending = one.notifyx.send("t", "while the clock is set");
      const numbers = await receive(one.notifyx, 30, (count) => {
        const shift = [12 * hour, -12 * hour, -24 * 365 * hour, 0][count % 4]!;
        Date.now = () => now() + shift;
      });
      assert.deepEqual(numbers, all(30));
      await sending;
      assert.deepEqual((await one.stats()).sent, ["while the clock is set"]);
      await closed(one);
    } finally {
      Date.now = now;
    }
  },

  async "a loop that is slow, left and begun again: bounded, and behind what it has had"() {
    const total = 3_000;
    const one = await begin({ connections: ["again", "cut"], total, each: 1_200 });
    const numbers: number[] = [];
    for await (const { message } of one.notifyx.notifications()) {
      numbers.push(Number(message.split(" ")[1]));
      if (numbers.length === 5) break;
      if (numbers.length === 1) await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // The fifth was had only in part: it comes again.
    assert.deepEqual([...numbers.slice(0, -1), ...await receive(one.notifyx, total)], all(total));
    const waiting = one.notifyx.notifications();
    const next = waiting.next();
    assert.equal((await waiting.return!()).done, true);
    assert.equal((await next).done, true);
    await closed(one);
    const other = await begin({ connections: [], total, each: 1 });
    const begun = other.notifyx.notifications().next();
    other.notifyx.close();
    assert.equal((await begun).done, true);
  },

  async "an app that goes wrong itself: its token is asked for again, and its listeners stop nothing"() {
    let asked = 0;
    const token = () => asked++ < 5 ? Promise.reject(new Error("no token yet")) : "token";
    const one = await begin({ connections: ["cut"], total: 6, each: 3 }, { token });
    const thrown: unknown[] = [];
    const onThrown = (error: unknown) => thrown.push(error);
    process.on("uncaughtException", onThrown);
    one.notifyx.connection.subscribe(() => {
      throw new Error("the app's own");
    });
    assert.deepEqual(await receive(one.notifyx, 6), all(6));
    await closed(one);
    await until("what was thrown is told", () => thrown.length > 0);
    process.off("uncaughtException", onThrown);
    assert.throws(() => createNotifyx({ url: server, cursor: { ...{} } as never, webSocketImpl: null }), TypeError);
    assert.throws(() => createNotifyx({ url: "no url" }), TypeError);
  },

  async [`${RECONNECTS} reconnections: all of it comes, and nothing is left of them`]() {
    const one = await begin({ connections: ["cut", "1012"], forever: true, total: RECONNECTS, each: 1 }, {
      timing: { ...TIMING, retryMs: [0, 1] },
    });
    let before = 0;
    const numbers = await receive(one.notifyx, RECONNECTS, (count) => {
      if (count === 100) before = heapUsed();
    });
    const growth = heapUsed() - before;
    assert.deepEqual(numbers, all(RECONNECTS));
    assert.ok((await one.stats()).connections >= RECONNECTS);
    assert.ok(growth < MOST_GROWTH, `the heap has grown by ${growth} bytes`);
    await closed(one);
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  const timer = setTimeout(() => {
    console.log(`NOT ${name}: it hangs`);
    process.exit(1);
  }, SCENARIO_LIMIT_MS);
  try {
    await scenario();
  } catch (error) {
    console.log(`NOT ${name}`, error);
    process.exit(1);
  }
  clearTimeout(timer);
  console.log(name);
}
console.log("done");
