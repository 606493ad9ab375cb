/** The whole system's figures, from what each process says. */

import assert from "node:assert/strict";
import type { ProcessData } from "../../kit/dashboard/dashboard.ts";
import { stepOf } from "../../kit/dashboard/history.ts";
import type { Instance } from "../../kit/directory.ts";
import type { Answer } from "./process_data.ts";
import { SystemTiles } from "./system.ts";

/** Processes that say what they are told to, and a gateway that asks them. */
class World {
  readonly asked: [url: string, after: number][] = [];
  readonly answers = new Map<string, Answer>();
  instances: Instance[] = [];
  readonly system: SystemTiles;
  readonly now = stepOf(Date.now());

  constructor() {
    this.system = new SystemTiles({
      directory: { all: () => this.instances },
      discoveryUrls: ["http://discovery"],
      secret: "secret",
      behindMs: 0,
      instanceId: "gateway-1",
      ownData: (after) => this.#behind("http://gateway-1", after) as ProcessData,
      ask: (url, _secret, after) => {
        this.asked.push([url, after]);
        return Promise.resolve(this.#behind(url, after));
      },
    });
  }

  /** `values` end at the present step, or so many before it. */
  says(service: string, id: string, series: ProcessData["series"], more: Partial<ProcessData> = {}, before = 0): void {
    const url = `http://${id}`;
    if (service !== "discovery" && !this.instances.some((one) => one.id === id)) {
      this.instances.push({ id, service, url } as Instance);
    }
    this.answers.set(url, {
      id,
      service,
      ready: true,
      problems: [],
      wrong: [],
      until: this.now - before,
      series,
      ...more,
    });
  }

  /** As a process answers: what lies behind that step alone. */
  #behind(url: string, after: number): Answer {
    const answer = this.answers.get(url) ?? "silent";
    if (typeof answer === "string") return answer;
    const series = Object.entries(answer.series).map(([key, values]) => {
      const first = answer.until - values.length + 1;
      return [key, values.slice(Math.max(0, after + 1 - first))];
    });
    return { ...answer, series: Object.fromEntries(series) };
  }

  shown(key: string): readonly (number | null)[] {
    return this.system.history.points(undefined, this.system.until).series[key]!;
  }
}

async function ask(world: World): Promise<void> {
  await world.system.step(true);
}

Deno.test("system - sums and highest values over a service's processes, each point once, and those of the gone stay", async () => {
  const world = new World();
  world.says("gateway", "gateway-1", { sends: [1, 2, 3], p95: [0.1, 0.2, 0.1] });
  world.says("gateway", "gateway-2", { sends: [10, 20], p95: [0.5, null] });
  world.says("mail", "mail-1", { queue: [7], sent: [1] });
  world.says("mail", "mail-2", { queue: [7], sent: [2] });
  world.says("discovery", "discovery", { instances: [5] });
  world.answers.set("http://foreign", "foreign");
  world.instances.push({ id: "foreign", service: "foreign", url: "http://foreign" } as Instance);
  await ask(world);
  assert.deepEqual(world.shown("gateway.sends"), [1, 12, 23]);
  assert.deepEqual(world.shown("gateway.p95"), [0.1, 0.5, 0.1]);
  assert.deepEqual(world.shown("mail.queue").at(-1), 7);
  assert.deepEqual(world.shown("mail.sent").at(-1), 3);
  assert.deepEqual(world.shown("discovery.instances").at(-1), 5);
  assert.deepEqual(world.shown("avatar.pictures").at(-1), null);

  // Asked again, they have nothing new; one is gone, and another has come.
  world.instances = world.instances.filter(({ id }) => id !== "gateway-2");
  world.says("gateway", "gateway-3", { sends: [100] });
  await ask(world);
  assert.deepEqual(world.shown("gateway.sends"), [1, 12, 123]);
  assert.deepEqual(world.asked.filter(([url]) => url === "http://mail-1"), [
    ["http://mail-1", -1],
    ["http://mail-1", world.now],
  ]);
});

Deno.test("system - one that lags is waited for, for a moment; one that is silent is not, and is shown as such", async () => {
  const world = new World();
  world.says("gateway", "gateway-1", { sends: [1, 1, 1, 1] });
  world.says("gateway", "gateway-2", { sends: [1, 1, 1] }, {}, 1);
  await ask(world);
  assert.equal(world.system.until, world.now - 1);
  world.answers.set("http://gateway-2", "silent");
  await ask(world);
  assert.equal(world.system.until, world.now);
  assert.deepEqual(
    world.system.heard.map((
      { service, url, answer },
    ) => [service, url, typeof answer === "string" ? answer : "answers"]),
    [
      ["discovery", "http://discovery", "silent"],
      ["gateway", "http://gateway-1", "answers"],
      ["gateway", "http://gateway-2", "silent"],
    ],
  );
});

Deno.test("system - a clock that is wrong, another service on the port, and what is wrong at a process", async () => {
  const world = new World();
  world.says("gateway", "gateway-1", { sends: [1] });
  world.says("mail", "mail-1", { queue: [9] }, { until: world.now + 10_000 });
  world.says("counter", "counter-1", { in_doubt: [2] }, { wrong: ["in_doubt"] });
  world.instances.push({ id: "auth-1", service: "auth", url: "http://counter-1" } as Instance);
  await ask(world);
  assert.deepEqual(world.shown("mail.queue").filter((value) => value !== null), []);
  assert.equal(world.system.history.newest, world.now);
  assert.deepEqual(world.system.wrong, ["notifications.in_doubt"]);
  assert.equal(world.system.heard.find(({ service }) => service === "auth")?.answer, "foreign");
});
