import assert from "node:assert/strict";
import { type Announcement, type Change, Registry } from "./registry.ts";

const COUNTER: Announcement = { service: "counter", url: "http://127.0.0.1:4400", participates: [], subgraph: true };

function start(options: { leaseMs?: number; instanceLimit?: number } = {}) {
  const clock = { now: 0 };
  const changes: string[] = [];
  const onChange = ({ event, data }: Change) => changes.push(`${event} ${data.service} ${data.id}`);
  const registry = new Registry({ now: () => clock.now, onChange, ...options });
  /** Lets `ms` pass as a running process sees it: with a look each 250 ms. */
  const pass = (ms: number) => {
    for (const until = clock.now + ms; clock.now < until;) {
      clock.now += 250;
      registry.dropExpired();
    }
  };
  return { registry, clock, changes, pass };
}

Deno.test("registry - drops an instance whose lease ran out, 10 s after its last heartbeat", () => {
  const { registry, changes, pass } = start();
  registry.renew("a", COUNTER);
  pass(9_000);
  registry.renew("a", COUNTER);
  pass(9_750);
  assert.equal(registry.count, 1);
  pass(250);
  assert.equal(registry.count, 0);
  assert.deepEqual(changes, ["up counter a", "gone counter a"]);
});

Deno.test("registry - a heartbeat is no change, but another url, operation or service is", () => {
  const { registry, changes } = start();
  registry.renew("a", COUNTER);
  registry.renew("a", { ...COUNTER, participates: [] });
  assert.equal(changes.length, 1);
  registry.renew("a", { ...COUNTER, url: "http://127.0.0.1:4401" });
  registry.renew("a", { ...COUNTER, participates: ["sendNotification"] });
  registry.renew("a", { ...COUNTER, service: "mail" });
  assert.equal(changes.length, 4);
  assert.deepEqual(registry.instances("counter"), []);
  assert.equal(registry.instances("mail").length, 1);
});

Deno.test("registry - keeps startedAt over heartbeats and changes", async () => {
  const { registry } = start();
  registry.renew("a", COUNTER);
  const [first] = registry.all();
  await new Promise((resolve) => setTimeout(resolve, 5));
  registry.renew("a", COUNTER);
  registry.renew("a", { ...COUNTER, subgraph: false });
  const [last] = registry.all();
  assert.equal(last!.startedAt, first!.startedAt);
  assert.ok(last!.lastHeartbeatAt > first!.lastHeartbeatAt);
});

Deno.test("registry - time in which this process was frozen drops nobody", () => {
  const { registry, clock, pass } = start();
  registry.renew("a", COUNTER);
  clock.now += 3_600_000;
  assert.deepEqual(registry.dropExpired(), []);
  clock.now -= 7_200_000;
  assert.deepEqual(registry.dropExpired(), []);
  pass(8_750);
  assert.equal(registry.count, 1);
  pass(250);
  assert.equal(registry.count, 0);
});

Deno.test("registry - lists services by name, and the instances of each oldest first", () => {
  const { registry } = start();
  registry.renew("n1", { ...COUNTER, service: "notifications" });
  registry.renew("c2", COUNTER);
  registry.renew("c1", COUNTER);
  registry.renew("c2", COUNTER);
  const names = registry.view().services.map(({ name, instances }) => `${name}: ${instances.map(({ id }) => id)}`);
  assert.deepEqual(names, ["counter: c2,c1", "notifications: n1"]);
});

Deno.test("registry - refuses an instance beyond its limit, but renews those it has", () => {
  const { registry } = start({ instanceLimit: 2 });
  registry.renew("a", COUNTER);
  registry.renew("b", COUNTER);
  assert.throws(() => registry.renew("c", COUNTER), { code: "TOO_MANY_REQUESTS" });
  registry.renew("a", { ...COUNTER, subgraph: false });
  registry.remove("b");
  registry.renew("c", COUNTER);
  assert.equal(registry.count, 2);
});

Deno.test("registry - its view stays below what a reader takes as one event, however long the announcements are", () => {
  const { registry } = start();
  const participates = Array.from({ length: 32 }, (_, at) => `operation${at}`.padEnd(64, "x"));
  const large = { ...COUNTER, url: `http://127.0.0.1/${"x".repeat(480)}`, participates };
  assert.throws(() => {
    for (let at = 0; at < 10_000; at++) registry.renew(`i${at}`, large);
  }, { code: "TOO_MANY_REQUESTS" });
  assert.ok(registry.count > 1_000);
  assert.ok(JSON.stringify(registry.view()).length < 4 * 1024 * 1024);
});

Deno.test("registry - removing what isn't there is no change", () => {
  const { registry, changes } = start();
  registry.remove("a");
  assert.deepEqual(changes, []);
});

Deno.test("registry - refuses an option that is no positive number, by its name", () => {
  for (const leaseMs of [NaN, 0, -1, Infinity]) assert.throws(() => new Registry({ leaseMs }), /leaseMs/);
  assert.throws(() => new Registry({ instanceLimit: 0 }), { name: "TypeError", message: /instanceLimit/ });
});
