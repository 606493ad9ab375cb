/** Instances that die, freeze, are slow or lose answers, each in turn under a load of queries: nobody notices where there is another one. */

import assert from "node:assert/strict";
import type { ServiceName } from "../kit/ports.ts";
import { User } from "./helpers/client.ts";
import { LONG, longTest } from "./helpers/long.ts";
import { QueryLoad } from "./helpers/query_load.ts";
import { SlowProxy } from "./helpers/slow_proxy.ts";
import { metric, startSystem, type System, until } from "./helpers/system.ts";

/** Each of the three services has a part in it. */
const QUERY = "{ me { email sentCount } unseenCount }";
const PER_SECOND = 60;
/** How soon an instance that is there again is asked again, in milliseconds. */
const BACK_MS = 2_000;
/** How long a query may take while an instance is frozen, in milliseconds: two levels, each with its limit. */
const QUERY_LIMIT_MS = 6_500;
const SERVICES = ["auth", "notifications", "counter"] as const;
/** Which of two: `deno task test:long` takes each. */
const INDEXES = LONG ? [0, 1] : [0];
const TWO = { auth: 2, notifications: 2, counter: 2 };

interface Seen {
  readonly id: string;
  readonly url: string;
  readonly health: string;
  readonly breaker: string;
}

function loadBy(system: System, { token }: User): QueryLoad {
  return new QueryLoad({ urls: () => [system.graphqlUrl], token, queries: [QUERY], perSecond: PER_SECOND });
}

/** Waits until `count` more queries have been answered. */
async function answers(load: QueryLoad, count: number): Promise<void> {
  const wanted = load.answered + count;
  await until(`${count} more answers`, () => load.answered >= wanted, 30_000);
}

/** The instances of a service, as the gateway sees them. */
async function seen(user: User, service: ServiceName): Promise<Seen[]> {
  const { services } = await user.get("{ services { name instances { id url health breaker } } }");
  return services.find(({ name }: { name: string }) => name === service)?.instances ?? [];
}

function becomes(user: User, service: ServiceName, url: string, breaker: string, limitMs?: number): Promise<void> {
  return until(`the breaker of ${service} at ${url} is ${breaker}`, async () => {
    return (await seen(user, service)).some((one) => one.url === url && one.breaker === breaker);
  }, limitMs);
}

/** Whether the gateway has asked the instance for anything by now: its own queries are those of `/graphql`. */
async function asked(system: System, service: ServiceName, index: number): Promise<number> {
  const text = await (await fetch(`${system.url(service, index)}/metrics`)).text();
  const counts = [...text.matchAll(/^notifyx_http_request_duration_seconds_count\{.*route="\/graphql".*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

Deno.test("instances - with two of a service, each killed in turn under load: no query fails, and it is asked again", async (t) => {
  await using system = await startSystem({ counts: TWO });
  const ann = await User.register(system);
  await using load = loadBy(system, ann);
  await answers(load, 50);
  for (const service of SERVICES) {
    for (const index of INDEXES) {
      await t.step(`${service} ${index + 1}`, async () => {
        const { process } = system.node(service, index);
        const { starts } = process;
        system.signal("SIGKILL", service, index);
        await answers(load, 50);
        await until("it is started again", () => process.starts > starts && process.state === "ready", 30_000);
        await until("it is asked again", async () => await asked(system, service, index) > 3, 30_000);
        assert.deepEqual(load.failed, []);
      });
    }
  }
  assert.ok(load.longestMs < QUERY_LIMIT_MS, `${load.longestMs} ms`);
});

longTest(
  "instances - with two of a service, each frozen in turn under load: no query fails, and it is asked again within 2 s",
  async (t) => {
    await using system = await startSystem({ counts: TWO });
    const ann = await User.register(system);
    await using load = loadBy(system, ann);
    await answers(load, 50);
    for (const service of SERVICES) {
      for (const index of INDEXES) {
        await t.step(`${service} ${index + 1}`, async () => {
          const url = system.url(service, index);
          system.signal("SIGSTOP", service, index);
          await becomes(ann, service, url, "OPEN");
          assert.equal((await seen(ann, service)).find((one) => one.url === url)?.health, "DOWN");
          await answers(load, 50);
          system.signal("SIGCONT", service, index);
          await becomes(ann, service, url, "CLOSED", BACK_MS);
          const before = await asked(system, service, index);
          await until("it is asked again", async () => await asked(system, service, index) > before);
          assert.deepEqual(load.failed, []);
        });
      }
    }
    assert.ok(load.longestMs < QUERY_LIMIT_MS, `${load.longestMs} ms`);
  },
);

longTest(
  "instances - each way to a service slow in turn under load: no query fails, and it is used again within 2 s",
  async (t) => {
    await using system = await startSystem();
    const ann = await User.register(system);
    for (const service of SERVICES) {
      await using first = await SlowProxy.to(system, service);
      await using second = await SlowProxy.to(system, service);
      const both = [first, second];
      await until("both are known", async () => {
        const ids = (await seen(ann, service)).map(({ id }) => id);
        return both.every(({ id }) => ids.includes(id));
      });
      await using load = loadBy(system, ann);
      await answers(load, 50);
      for (const [index, proxy] of both.slice(0, INDEXES.length).entries()) {
        await t.step(`${service} ${index + 1}`, async () => {
          const url = (await seen(ann, service)).find(({ id }) => id === proxy.id)!.url;
          proxy.delayMs = 5_000;
          await becomes(ann, service, url, "OPEN", 20_000);
          await answers(load, 50);
          proxy.delayMs = 0;
          await becomes(ann, service, url, "CLOSED", BACK_MS);
          await answers(load, 20);
          assert.deepEqual(load.failed, []);
        });
      }
    }
  },
);

Deno.test("instances - a mutation whose answer is lost is asked once, a query again elsewhere", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  await using proxy = await SlowProxy.to(system, "notifications");
  await until("it is known", async () => (await seen(ann, "notifications")).some(({ id }) => id === proxy.id));
  const create = "mutation ($name: String!) { createTopic(name: $name) { id } }";
  const names: string[] = [];
  const codes: (string | undefined)[] = [];
  proxy.losesAnswers = true;
  for (let time = 0; time < 40 && !codes.includes("SERVICE_UNAVAILABLE"); time++) {
    const name = `topic ${crypto.randomUUID()}`;
    names.push(name);
    codes.push(await ann.code(create, { name }));
    assert.equal(await ann.code("{ unseenCount }"), undefined);
  }
  // Asked again, it would have been a CONFLICT: the topic is there.
  assert.deepEqual(new Set(codes.filter((code) => code !== undefined)), new Set(["SERVICE_UNAVAILABLE"]));
  proxy.losesAnswers = false;
  const rows = await system.database("notifications")`select name from topics where name = any(${names})`;
  assert.deepEqual(rows.map(({ name }) => name).sort(), names.toSorted());
});

Deno.test("instances - of the only one that is dead or frozen its own fields are null, in time; within 2 s they are there again", async (t) => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const query = "{ me { email sentCount } }";
  const url = system.url("counter");
  const isBack = () => until("its field is back", async () => (await ann.ask(query)).errors === undefined, BACK_MS);
  /** Asks until the breaker is open: all that is asked has its answer, and nothing else is missing. */
  const untilOpen = async () => {
    for (let open = false; !open;) {
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: 6 }, () => ann.ask(query)));
      assert.ok(performance.now() - began < QUERY_LIMIT_MS);
      for (const { data, errors } of answers) {
        assert.deepEqual(data, { me: { email: ann.email, sentCount: null } });
        assert.deepEqual(errors?.map(({ path }) => path), [["me", "sentCount"]]);
        assert.match(errors![0]!.extensions.code, /^(SERVICE_UNAVAILABLE|TIMEOUT)$/);
      }
      open = (await seen(ann, "counter")).some((one) => one.breaker === "OPEN");
    }
    const { errors } = await ann.ask(query);
    assert.deepEqual(errors?.map(({ extensions }) => extensions), [{ code: "SERVICE_UNAVAILABLE" }]);
  };
  await t.step("frozen", async () => {
    system.signal("SIGSTOP", "counter");
    await untilOpen();
    system.signal("SIGCONT", "counter");
    await isBack();
    await becomes(ann, "counter", url, "CLOSED");
  });
  await t.step("dead, and started again by hand", async () => {
    const { process } = system.node("counter");
    process.kill();
    await until("it is dead", () => process.pid === undefined);
    await untilOpen();
    const { SupervisedProcess } = await import("../cluster/supervisor.ts");
    const again = new SupervisedProcess(process.options);
    try {
      await again.start();
      await isBack();
    } finally {
      await again.stop(3_000);
    }
  });
  assert.ok(await metric(system.url(), 'notifyx_upstream_breaker_opened_total{service="counter"}') >= 2);
});
