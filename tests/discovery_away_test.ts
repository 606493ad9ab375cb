/**
 * Discovery away for longer than any lease, and a gateway and a service restarted meanwhile: all goes on. NOTIFYX_TEST_AWAY_SECONDS is how
 * long it is away; the 12 s of every day are more than the TTL.
 */

import assert from "node:assert/strict";
import { SupervisedProcess } from "../cluster/supervisor.ts";
import { nodeFolder } from "../cluster/nodes.ts";
import type { ServiceName } from "../kit/ports.ts";
import { delay, SECOND } from "../kit/time.ts";
import { User } from "./helpers/client.ts";
import { QueryLoad } from "./helpers/query_load.ts";
import { startSystem, type System, until } from "./helpers/system.ts";

const AWAY_MS = Number(Deno.env.get("NOTIFYX_TEST_AWAY_SECONDS") ?? "12") * SECOND;
const QUERY = "{ me { email sentCount } unseenCount }";
const ALL = ["auth", "counter", "gateway", "notifications"];

/** Kills a node's process, and waits until it is ready again. */
async function restart(system: System, kind: ServiceName, index = 0): Promise<void> {
  const { process } = system.node(kind, index);
  const { starts } = process;
  system.signal("SIGKILL", kind, index);
  await until(`${kind} is ready again`, () => process.starts > starts && process.state === "ready", 30_000);
}

/** Waits until a node has a copy of the directory that names every kind. */
async function copied(system: System, kind: ServiceName, index: number): Promise<void> {
  const { kind: node, url } = system.node(kind, index);
  const file = `${nodeFolder(node, Number(new URL(url).port), system)}/copy`;
  await until(`${file} names all`, async () => {
    const text = await Deno.readTextFile(file).catch(() => "");
    return ALL.every((one) => text.includes(`"service":"${one}"`));
  });
}

Deno.test("discovery - away for longer than any lease, a gateway and a service restarted meanwhile: all goes on", async () => {
  const lines: string[] = [];
  await using system = await startSystem({
    counts: { gateway: 2 },
    onLine: (name, line) => name === "gateway-2" && lines.push(line),
  });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using socket = await bob.connect();
  const id = socket.subscribe("subscription { notificationReceived { message } }");
  await Promise.all([copied(system, "gateway", 1), copied(system, "notifications", 0)]);

  const { process: discovery } = system.node("discovery");
  discovery.kill();
  await until("discovery is dead", () => discovery.pid === undefined);
  const awaySince = performance.now();
  const sent: string[] = [];
  const send = async (from: User) => {
    sent.push(`message ${sent.length}`);
    await from.send(topicId, sent.at(-1)!);
  };
  const urls = [system.graphqlUrl];
  const load = new QueryLoad({ urls: () => urls, token: ann.token, queries: [QUERY], perSecond: 40 });
  await using _ = load;
  await send(ann);

  await restart(system, "gateway", 1);
  const there = new User(`${system.url("gateway", 1)}/graphql`, ann.id, ann.email, ann.token);
  assert.equal((await there.get(QUERY)).me.email, ann.email);
  assert.ok(lines.some((line) => line.includes("in the copy of the directory")));
  await send(there);
  urls.push(there.url);

  // It has to find auth, whose keys it needs, by its own copy.
  const { failed } = load;
  assert.deepEqual(failed, []);
  await restart(system, "notifications");
  await until("it is asked again by both", async () => {
    const answers = await Promise.all([ann, there].map((user) => user.ask(QUERY)));
    return answers.every(({ errors }) => errors === undefined);
  });
  const { asked } = load;
  await until("what was asked before is answered", () => load.answered >= asked);
  const { failures } = load;
  while (performance.now() - awaySince < AWAY_MS) {
    await delay(SECOND);
    await send(there);
  }
  assert.equal(load.failures, failures, failed.join("\n"));
  assert.deepEqual((await socket.receive(id, sent.length)).map(({ message }) => message), sent);

  const again = new SupervisedProcess(discovery.options);
  try {
    const backSince = new Date().toISOString();
    await again.start();
    for (const user of [ann, there]) {
      await until("all are named again", async () => {
        const { services } = await user.get("{ services { name instances { lastHeartbeatAt } } }");
        const heard = services.filter(({ instances }: { instances: { lastHeartbeatAt: string }[] }) =>
          instances.some((one) => one.lastHeartbeatAt > backSince)
        );
        return heard.map(({ name }: { name: string }) => name).sort().join() === ALL.join();
      });
    }
    assert.equal(load.failures, failures, failed.join("\n"));
  } finally {
    await again.stop(3_000);
  }
});
