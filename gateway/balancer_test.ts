/** Who is asked of a service's instances, how often, and for how long. */

import assert from "node:assert/strict";
import type { Directory, Instance } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { delay } from "../kit/time.ts";
import { Balancer, type BalancerOptions } from "./balancer.ts";
import { CallCancelled } from "./guards/lifetime.ts";

const away = () => new UserError("SERVICE_UNAVAILABLE", "away");

/** A service of instances that a test can kill and add, behind a balancer. */
class Service implements Disposable {
  readonly dead = new Set<string>();
  /** Which were asked, in their order; `limits` for how long. */
  readonly asked: string[] = [];
  readonly limits: number[] = [];
  readonly balancer: Balancer;
  #instances: Instance[];

  constructor(ids: readonly string[], options: BalancerOptions = {}) {
    this.#instances = ids.map(instanceOf);
    const directory = { instances: () => this.#instances, all: () => this.#instances };
    this.balancer = new Balancer(directory as unknown as Directory, {
      isLive: ({ id }) => Promise.resolve(!this.dead.has(id)),
      ...options,
    });
  }

  /** Discovery names it no more. */
  remove(id: string): void {
    this.#instances = this.#instances.filter((one) => one.id !== id);
  }

  add(id: string): void {
    this.#instances = [...this.#instances, instanceOf(id)];
  }

  ask(error = away(), repeat = true): Promise<string> {
    return this.balancer.ask("counter", 1_000, ({ id }, limitMs) => {
      this.asked.push(id);
      this.limits.push(limitMs);
      return this.dead.has(id) ? Promise.reject(error) : Promise.resolve(id);
    }, repeat);
  }

  async askTimes(times: number): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (let time = 0; time < times; time++) {
      const id = await this.ask();
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  stateOf(id: string): string {
    const { health, breaker } = this.balancer.seen(instanceOf(id));
    return `${health} ${breaker}`;
  }

  async becomes(id: string, state: string): Promise<void> {
    const giveUpAt = performance.now() + 5_000;
    while (this.stateOf(id) !== state) {
      assert.ok(performance.now() < giveUpAt, `${id} is ${this.stateOf(id)}, not ${state}`);
      await delay(5);
    }
  }

  [Symbol.dispose](): void {
    this.balancer.stop();
  }
}

function instanceOf(id: string): Instance {
  return { id, service: "counter", url: `http://${id}` } as Instance;
}

for (const balancing of ["round-robin", "least-pending"] as const) {
  Deno.test(`balancer - ${balancing}: where nothing waits, each has its turn`, async () => {
    using service = new Service(["a", "b"], { balancing });
    await service.askTimes(6);
    assert.deepEqual(service.asked.slice(0, 2).sort(), ["a", "b"]);
    for (let at = 2; at < 6; at++) assert.equal(service.asked[at], service.asked[at - 2]);
  });
}

Deno.test("balancer - least-pending: the instance at which calls wait gets none more", async () => {
  using service = new Service(["a", "b"]);
  const answer = Promise.withResolvers<string>();
  let waiting = 0;
  const ask = ({ id }: Instance) => id === "a" ? (waiting++, answer.promise) : Promise.resolve(id);
  const asking = Array.from({ length: 2 }, () => service.balancer.ask("counter", 1_000, ask));
  for (let time = 0; time < 100; time++) assert.equal(await service.balancer.ask("counter", 1_000, ask), "b");
  assert.equal(waiting, 1);
  answer.resolve("a");
  assert.deepEqual((await Promise.all(asking)).sort(), ["a", "b"]);
});

Deno.test("balancer - least-pending: of many, each is asked about as often", async () => {
  using service = new Service(["a", "b", "c", "d", "e"]);
  const counts = await service.askTimes(1_000);
  for (const [id, count] of counts) assert.ok(count > 100 && count < 300, `${id} was asked ${count} times`);
});

Deno.test("balancer - a new instance gets few turns at first", async () => {
  using service = new Service(["a"], { slowStartMs: 60_000 });
  await service.ask();
  service.add("b");
  const counts = await service.askTimes(1_000);
  const share = counts.get("b") ?? 0;
  // A tenth of its half, or, since it is drawn by itself only, of its turns.
  assert.ok(share > 10 && share < 130, `${share} of 1,000`);
  using soon = new Service(["a"], { slowStartMs: 30 });
  await soon.ask();
  soon.add("b");
  await soon.ask();
  await delay(40);
  assert.ok((await soon.askTimes(100)).get("b")! >= 40);
});

Deno.test("balancer - a new instance is asked when it is the only one that is left", async () => {
  using service = new Service(["a"], { slowStartMs: 60_000 });
  await service.ask();
  service.add("b");
  service.dead.add("a");
  assert.deepEqual(await service.askTimes(5), new Map([["b", 5]]));
});

Deno.test("balancer - where one gives no answer and no sign of life, another one is asked, and that one no more", async () => {
  using service = new Service(["a", "b"]);
  service.dead.add("a");
  assert.deepEqual(await service.askTimes(2), new Map([["b", 2]]));
  await service.becomes("a", "DOWN OPEN");
  service.asked.length = 0;
  await service.askTimes(20);
  assert.deepEqual(new Set(service.asked), new Set(["b"]));
});

Deno.test("balancer - one that is frozen is found out also by callers who don't wait until their time is over", async () => {
  using service = new Service(["a", "b"]);
  service.dead.add("a");
  const frozen = ({ id }: Instance) =>
    id === "b" ? Promise.resolve(id) : delay(300).then(() => Promise.reject(new CallCancelled()));
  await Promise.allSettled(Array.from({ length: 4 }, () => service.balancer.ask("counter", 1_000, frozen)));
  await service.becomes("a", "DOWN OPEN");
});

Deno.test("balancer - one that fails though it lives is asked no more after five in a row; one answer between counts anew", async () => {
  using service = new Service(["a", "b"], { isLive: () => Promise.resolve(true) });
  const failures = async (times: number) => {
    service.asked.length = 0;
    service.dead.add("a");
    while (service.asked.filter((id) => id === "a").length < times) await service.ask();
    service.dead.delete("a");
  };
  await failures(4);
  await service.askTimes(4);
  await failures(4);
  assert.equal(service.stateOf("a"), "UP CLOSED");
  await failures(1);
  assert.equal(service.stateOf("a"), "UP OPEN");
  service.asked.length = 0;
  await service.askTimes(20);
  assert.deepEqual(new Set(service.asked), new Set(["b"]));
});

Deno.test("balancer - half-open lets one call through, which closes the breaker or opens it again", async () => {
  using service = new Service(["a"]);
  service.dead.add("a");
  await assert.rejects(service.ask(), { code: "SERVICE_UNAVAILABLE" });
  await service.becomes("a", "DOWN OPEN");
  service.asked.length = 0;
  await assert.rejects(service.ask(), { code: "SERVICE_UNAVAILABLE" });
  assert.deepEqual(service.asked, []);

  service.dead.delete("a");
  await service.becomes("a", "UP HALF_OPEN");
  service.dead.add("a");
  const both = await Promise.allSettled([service.ask(), service.ask()]);
  assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
  assert.deepEqual(service.asked, ["a"]);

  service.dead.delete("a");
  await service.becomes("a", "UP HALF_OPEN");
  assert.equal(await service.ask(), "a");
  assert.equal(service.stateOf("a"), "UP CLOSED");
});

Deno.test("balancer - half-open, a call whose caller has gone says nothing: the next one is the trial", async () => {
  using service = new Service(["a"]);
  service.dead.add("a");
  await assert.rejects(service.ask(), { code: "SERVICE_UNAVAILABLE" });
  await service.becomes("a", "DOWN OPEN");
  service.dead.delete("a");
  await service.becomes("a", "UP HALF_OPEN");
  service.dead.add("a");
  await assert.rejects(service.ask(new CallCancelled()), CallCancelled);
  assert.notEqual(service.stateOf("a"), "UP CLOSED");
  service.dead.delete("a");
  await service.becomes("a", "UP HALF_OPEN");
  assert.equal(await service.ask(), "a");
  assert.equal(service.stateOf("a"), "UP CLOSED");
  // While it is closed, they count nothing.
  service.dead.add("a");
  for (let time = 0; time < 10; time++) await assert.rejects(service.ask(new CallCancelled()), CallCancelled);
  assert.equal(service.stateOf("a"), "UP CLOSED");
});

Deno.test("balancer - one that discovery didn't name for a while, and nobody asked meanwhile, is asked when it is back", async () => {
  using service = new Service(["a"], { slowStartMs: 0 });
  service.dead.add("a");
  await assert.rejects(service.ask(), { code: "SERVICE_UNAVAILABLE" });
  await service.becomes("a", "DOWN OPEN");
  service.remove("a");
  await delay(600);
  service.dead.delete("a");
  service.add("a");
  await service.becomes("a", "DOWN HALF_OPEN");
  assert.equal(await service.ask(), "a");
});

Deno.test("balancer - leaves to the next instance its share of the time, and to the only one all of it", async () => {
  using service = new Service(["a", "b"]);
  for (const id of ["a", "b"]) service.dead.add(id);
  await assert.rejects(service.ask(), { code: "SERVICE_UNAVAILABLE" });
  assert.equal(service.limits.length, 2);
  assert.ok(service.limits[0]! <= 500 && service.limits[1]! > 900, `${service.limits}`);
  using alone = new Service(["a"]);
  await alone.ask();
  assert.ok(alone.limits[0]! > 900, `${alone.limits}`);
});

Deno.test("balancer - repeats a tenth of the calls at most, besides its reserve", async () => {
  using service = new Service(["a", "b", "c"], { isLive: () => Promise.resolve(true) });
  const reserve = 100;
  let [answered, failed] = [0, 0];
  for (let time = 0; time < 5_000; time++) {
    // Sick, but never so often in a row that a breaker opens.
    const isSick = time % 2 === 0;
    await service.balancer.ask("counter", 1_000, ({ id }) => {
      service.asked.push(id);
      return isSick ? Promise.reject(away()) : Promise.resolve(id);
    }).then(() => answered++, () => failed++);
  }
  assert.ok(answered >= 2_000 && failed > 1_000, `${answered} answered, ${failed} failed`);
  const repeated = service.asked.length - 5_000;
  assert.ok(repeated > 100 && repeated <= 500 + reserve, `${repeated} of 5,000`);
});

Deno.test("balancer - without repeating only one is asked; what is wrong with the question is said at once and counts nothing", async () => {
  using service = new Service(["a", "b"], { isLive: () => Promise.resolve(true) });
  for (const id of ["a", "b"]) service.dead.add(id);
  await assert.rejects(service.ask(away(), false), { code: "SERVICE_UNAVAILABLE" });
  assert.equal(service.asked.length, 1);
  for (let time = 0; time < 20; time++) {
    await assert.rejects(service.ask(new UserError("CONFLICT", "no")), { code: "CONFLICT" });
  }
  assert.equal(service.asked.length, 21);
  for (const id of ["a", "b"]) assert.equal(service.stateOf(id), "UP CLOSED");
});

Deno.test("balancer - a service that nobody serves is SERVICE_UNAVAILABLE", async () => {
  using service = new Service([]);
  await assert.rejects(service.ask(), { code: "SERVICE_UNAVAILABLE" });
});
