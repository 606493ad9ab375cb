/** Metrics of the whole system: each process has those that the catalogue says and no others, and their series don't grow with people. */

import assert from "node:assert/strict";
import { SYSTEM_TILES } from "../gateway/system/tiles.ts";
import { METRICS } from "../kit/metrics/catalogue.ts";
import { type Definition, HOLDERS } from "../kit/metrics/definition.ts";
import type { ServiceName } from "../kit/ports.ts";
import { listening, startSystem, type System, until } from "./helpers/system.ts";
import { type Socket, User } from "./helpers/client.ts";

const CATALOGUE = new Map(Object.entries<Definition>(METRICS));
/** How often the story is told before its series are counted, and how often after. */
const FIRST_ROUNDS = 2;
const ROUNDS = 12;

Deno.test("metrics - every process serves what the catalogue says, Prometheus finds it, and series don't grow", async (t) => {
  await using system = await startSystem({ counts: { gateway: 2, avatar: 1, mail: 1, client: 1 } });
  await system.allReady();

  await t.step("what a kind has, and no more, with its help, type and labels", async () => {
    for (const { kind: { kind }, url } of system.cluster.nodes) {
      const text = await metricsOf(url);
      const helps = lines(text, /^# HELP (\w+) (.*)$/);
      const types = new Map(lines(text, /^# TYPE (\w+) (.*)$/));
      const wanted = [...CATALOGUE].filter(([, { of }]) => (HOLDERS[of] as readonly ServiceName[]).includes(kind));
      assert.deepEqual(helps.map(([name]) => name).sort(), wanted.map(([name]) => name).sort(), kind);
      for (const [name, help] of helps) assert.equal(help, CATALOGUE.get(name)!.help);
      for (const [name, { type }] of wanted) assert.equal(types.get(name), type, name);
      for (const series of seriesOf(text)) {
        const [, name, labels] = /^(\w+?)(?:\{(.*)\})?$/.exec(series)!;
        const known = CATALOGUE.get(name!) ?? CATALOGUE.get(name!.replace(/_(bucket|sum|count)$/, ""));
        assert.ok(known !== undefined, series);
        for (const [, label] of (labels ?? "").matchAll(/(\w+)="/g)) {
          assert.ok(known.labels.includes(label!) || label === "le", series);
        }
      }
    }
  });

  await t.step("discovery names every process to Prometheus", async () => {
    const response = await fetch(`${system.url("discovery")}/api/prometheus`);
    assert.equal(response.headers.get("content-type"), "application/json");
    const groups = await response.json() as { targets: string[]; labels: Record<string, string> }[];
    const named = groups.flatMap(({ targets, labels }) => targets.map((target) => `${labels.job} ${target}`));
    const wanted = system.cluster.nodes.map(({ kind, url }) => `${kind.kind} ${new URL(url).host}`);
    assert.deepEqual(named.sort(), wanted.sort());
    for (const { labels } of groups) assert.deepEqual(Object.keys(labels), ["job"]);
  });

  await t.step(`with ${ROUNDS} more users, topics and documents there are no more series`, async () => {
    const told: string[] = [];
    for (let round = 0; round < FIRST_ROUNDS; round++) await tell(system, told);
    const before = await allSeries(system);
    for (let round = 0; round < ROUNDS; round++) await tell(system, told);
    const after = await allSeries(system);
    const added = [...after].filter((series) => !before.has(series));
    for (const series of after) {
      for (const name of told) assert.ok(!series.includes(name), series);
    }
    // Some things happen now and then, such as a call that is asked again.
    assert.ok(added.length < ROUNDS, added.join("\n"));
  });

  await t.step("what the gateway's page shows of each service is a figure of that service's own", async () => {
    for (const { kind: { kind }, url } of system.cluster.nodes) {
      const wanted = SYSTEM_TILES.filter(({ services }) => services.includes(kind)).map(({ figure }) => figure);
      await until(`the figures of ${kind}`, async () => {
        const { series } = await (await fetch(`${url}/dashboard/data`)).json();
        // Taken each five seconds.
        return Object.keys(series).length > 0 && (assert.deepEqual(wanted.filter((key) => !(key in series)), []), true);
      }, 15_000);
    }
  });

  await t.step("what happened is told: transactions, deliveries, operations, the feed and the databases", async () => {
    const sent = FIRST_ROUNDS + ROUNDS;
    const gateway = await metricsOf(system.url());
    const value = (series: string) =>
      Number(gateway.split("\n").find((line) => line.startsWith(`${series} `))?.split(" ")[1]);
    assert.equal(value('notifyx_transactions_total{operation="sendNotification",outcome="committed"}'), sent);
    assert.equal(
      value('notifyx_graphql_operation_duration_seconds_count{type="mutation",field="sendNotification"}'),
      sent,
    );
    assert.equal(
      value('notifyx_graphql_operation_errors_total{type="mutation",field="subscribeToTopic",code="NOT_FOUND"}'),
      sent,
    );
    assert.equal(value("notifyx_delivery_duration_seconds_count"), sent);
    assert.ok(value("notifyx_delivery_duration_seconds_sum") < sent * 5);
    assert.equal(
      value('notifyx_graphql_operation_duration_seconds_count{type="subscription",field="notificationReceived"}'),
      sent,
    );
    assert.equal(value("notifyx_delivery_feed_up"), 1);
    assert.equal(value("notifyx_delivery_feed_lag_seconds"), 0);
    assert.equal(value("notifyx_delivery_sockets_limit"), 20_000);
    assert.equal(value("notifyx_transactions_waiting"), 0);
    assert.equal(value('notifyx_delivery_limited_total{kind="sockets"}'), 0);
    // And that of callers without one.
    assert.equal(value("notifyx_sessions_known"), sent + 1);
    assert.ok(value("notifyx_graphql_documents_checked_total") > sent);
    assert.equal(value('notifyx_cache_entries{cache="sessions"}'), sent + 1);
    assert.equal(value('notifyx_cache_entries_limit{cache="sessions"}'), 100_000);
    assert.ok(value('notifyx_cache_lookups_total{cache="sessions",found="yes"}') > sent);
    assert.ok(value("notifyx_transactions_places") > 0);
    assert.equal(value("notifyx_transactions_refused_total"), 0);
    assert.ok(value('notifyx_database_pool_limit{pool="service"}') > 0);
    assert.ok(value('notifyx_upstream_call_duration_seconds_count{service="auth"}') > 0);
    assert.ok(value("notifyx_process_cpu_seconds_total") > 0);
    assert.ok(value("notifyx_event_loop_lag_seconds_count") > 0);
    assert.equal(value("notifyx_database_up"), 1);
    assert.ok(value('notifyx_database_size_bytes{database="notifyx_notifications"}') > 1_000_000);
    assert.ok(value('notifyx_database_connections{database="notifyx_gateway"}') > 0);
    assert.ok(value("notifyx_database_connections_limit") > 0);
    assert.ok(value("notifyx_database_prepared_transactions_limit") > 0);
    await until("all is finished", async () => {
      const line = (await metricsOf(system.url())).match(/^notifyx_transactions_unfinished (\d+)$/m);
      return line?.[1] === "0";
    });
    // What was asked of a pool comes back to it; one of the queue's connections listens.
    await until("no connection is in use", async () => {
      const used = async (service: ServiceName) =>
        (await metricsOf(system.url(service))).match(/^notifyx_database_pool_used\{.*$/gm);
      const none = (pool: string) => `notifyx_database_pool_used{pool="${pool}"} 0`;
      return (await used("auth"))?.join() === none("service") &&
        (await used("notifications"))?.join() === [none("service"), none("transactions")].join();
    });
    assert.match(await metricsOf(system.url("mail")), /^notifyx_database_pool_used\{pool="queue"\} [1-4]$/m);
    const avatar = await metricsOf(system.url("avatar"));
    const threads = avatar.matchAll(/^notifyx_avatar_threads\{state="\w+"\} (\d+)$/gm);
    assert.ok(threads.reduce((sum, [, count]) => sum + Number(count), 0) > 0);
    assert.match(avatar, /^notifyx_avatars_waiting_limit [1-9]\d*$/m);
    const discovery = await metricsOf(system.url("discovery"));
    assert.match(discovery, /^notifyx_discovery_instances\{service="gateway"\} 2$/m);
    assert.match(discovery, /^notifyx_discovery_leases_expired_total\{service="counter"\} 0$/m);
  });
});

/** One user more with a topic of their own, and documents, operation names, aliases and addresses that nobody else has; `told` gets these. */
async function tell(system: System, told: string[]): Promise<void> {
  const user = await User.register(system);
  const name = `n${crypto.randomUUID().replaceAll("-", "")}`;
  const topicId = await user.createTopic(name);
  await user.join(topicId);
  told.push(user.id, user.email, name, topicId);
  const socket: Socket = await user.connect();
  try {
    socket.send({
      id: name,
      type: "subscribe",
      payload: { query: `subscription ${name} { ${name}: notificationReceived { id message } }` },
    });
    await listening(system, 1);
    await user.send(topicId, name);
    await socket.next(({ type }) => type === "next");
  } finally {
    socket[Symbol.dispose]();
  }
  await user.get(`query ${name} { ${name}: topic(id: "${topicId}") { id name } }`);
  assert.equal(
    await user.code(`mutation { subscribeToTopic(topicId: "${crypto.randomUUID()}") { ${name}: id } }`),
    "NOT_FOUND",
  );
  assert.equal(await user.code(`{ ${name} }`), "BAD_USER_INPUT");
  const unknown = await fetch(`${system.url()}/${name}`, { method: "PUT" });
  assert.equal(unknown.status, 404);
  await unknown.body?.cancel();
  await until(
    "its subscription is gone",
    async () => /^notifyx_delivery_listeners 0$/m.test(await metricsOf(system.url())),
  );
}

/** Of all processes, each with its URL before it. */
async function allSeries(system: System): Promise<Set<string>> {
  const all = await Promise.all(
    system.cluster.nodes.map(async ({ url }) => seriesOf(await metricsOf(url)).map((series) => `${url} ${series}`)),
  );
  return new Set(all.flat());
}

async function metricsOf(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(response.status, 200);
  return await response.text();
}

/** Each sample's name and labels. */
function seriesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) =>
    line.slice(0, line.lastIndexOf(" "))
  );
}

function lines(text: string, form: RegExp): [string, string][] {
  return text.split("\n").map((line) => form.exec(line)).filter((match) => match !== null).map((match) => [
    match[1]!,
    match[2]!,
  ]);
}
