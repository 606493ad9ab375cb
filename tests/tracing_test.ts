/** Traces of the whole system, as a collector gets them: docs/tracing.md. */

import assert from "node:assert/strict";
import { SECOND } from "../kit/time.ts";
import { graphql, Socket, User } from "./helpers/client.ts";
import { type CollectedSpan, Collector, untilTree } from "./helpers/collector.ts";
import { PROMETHEUS, Prometheus, sayIfNoPrometheus } from "./helpers/prometheus.ts";
import { metric, SECRET, startSystem, type System, until } from "./helpers/system.ts";

const SEND = 'mutation ($topicId: ID!) { sendNotification(topicId: $topicId, message: "hello") { id cursor } }';
const MAIL_ME = "mutation ($id: ID!) { setMailPreference(topicId: $id, preference: ALWAYS) { id } }";
const SENT = `
  sendNotification (gateway)
    commit (gateway)
      commit counter (gateway)
        commit (counter)
          COMMIT PREPARED (counter)
      commit notifications (gateway)
        commit (notifications)
          COMMIT PREPARED (notifications)
          place in the feed (notifications)
    decide (gateway)
    deliver (gateway)
    deliver (gateway)
      execute (gateway)
      write (gateway)
    prepare (gateway)
      prepare counter (gateway)
        prepare (counter)
          PREPARE TRANSACTION (counter)
      prepare notifications (gateway)
        prepare (notifications)
          PREPARE TRANSACTION (notifications)`;
/** Of a send, from its request to the socket. */
const WITH_EXEMPLARS = [
  "notifyx_http_request_duration_seconds",
  "notifyx_graphql_operation_duration_seconds",
  "notifyx_transaction_phase_duration_seconds",
  "notifyx_delivery_duration_seconds",
];
/** Clocks are read in whole milliseconds. */
const CLOCK_MS = 2;

sayIfNoPrometheus("tracing");

Deno.test("tracing - one trace for all that an operation causes, wherever it is done", async (t) => {
  await using collector = Collector.start();
  const lines: string[] = [];
  await using system = await startSystem({
    counts: { gateway: 2, mail: 1 },
    env: {
      ...collector.env("parentbased_traceidratio"),
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=a%20b",
      NOTIFYX_LOG_FORMAT: "json",
    },
    onLine: (_, line) => lines.push(line),
  });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  // Ann sends at the first gateway, Bob listens at the second.
  using socket = await listenAtTheOther(system, bob);

  await t.step(
    "a notification: from the mutation through both phases and the feed into the other gateway's socket, and its mail",
    async () => {
      await bob.get(MAIL_ME, { id: topicId });
      const { id } = await ann.send(topicId, "hello");
      await socket.receive("1", 1);
      const spans = await untilTree(
        () => collector.ofSend(id),
        `POST /graphql (gateway)${SENT}\n    send mail (mail)\n    wait (gateway)`,
      );
      assert.equal(collector.headers.get("x-tenant"), "a b");
      const [root] = spans.filter(({ parentId }) => parentId === undefined);
      assert.deepEqual([root!.name, root!.kind, root!.attributes["http.response.status_code"]], [
        "POST /graphql",
        "server",
        200,
      ]);
      assert.equal(root!.attributes["graphql.operation.type"], "mutation");
      assert.deepEqual(spans.filter(({ failed }) => failed), []);

      const byId = new Map(spans.map((span) => [span.spanId, span]));
      for (const span of spans) {
        const parent = byId.get(span.parentId ?? "");
        if (parent === undefined) continue;
        assert.ok(span.beganAt >= parent.beganAt - CLOCK_MS, `${span.name} begins before ${parent.name}`);
        if (["deliver", "send mail"].includes(span.name)) continue;
        assert.ok(span.endedAt <= parent.endedAt + CLOCK_MS, `${span.name} ends after ${parent.name}`);
      }
      const gateways = new Set(spans.filter(({ service }) => service === "gateway").map(({ instance }) => instance));
      assert.equal(gateways.size, 2);
      const deliveries = spans.filter(({ name }) => name === "deliver");
      const listeners = (
        span: CollectedSpan,
      ) => [span.instance === root!.instance, span.attributes["notifyx.listeners"]];
      assert.deepEqual(deliveries.map(listeners).sort(), [[false, 1], [true, 0]]);
      const written = spans.find(({ name }) => name === "write")!;
      assert.notEqual(written.instance, root!.instance);
      assert.equal(byId.get(written.parentId!)!.attributes["notifyx.listeners"], 1);
    },
  );

  await t.step(
    "a caller's trace is gone on with, over HTTP and over a socket; one that isn't sampled leaves nothing",
    async () => {
      const given = { traced: newId(32), quiet: newId(32), overSocket: newId(32) };
      const parent = newId(16);
      const send = async (traceparent: string) =>
        (await ask(system, ann, SEND, { topicId }, { traceparent })).data.sendNotification.id as string;
      const quiet = await send(`00-${given.quiet}-${parent}-00`);
      const traced = await send(`00-${given.traced}-${parent}-01`);
      using own = await ann.connect();
      own.send({
        id: "1",
        type: "subscribe",
        payload: { query: "{ me { email } }", extensions: { traceparent: `00-${given.overSocket}-${parent}-01` } },
      });
      const wrong = await send(`00-${given.traced}-${parent}`);

      const tree = (rest: string) => `POST /graphql (gateway)${SENT}${rest}\n    wait (gateway)`;
      const spans = await untilTree(() => collector.of(given.traced), tree("\n    send mail (mail)"));
      assert.deepEqual(spans, collector.ofSend(traced));
      assert.deepEqual(spans.filter(({ parentId }) => parentId === parent).map(({ name }) => name), ["POST /graphql"]);
      await untilTree(
        () => collector.of(given.overSocket),
        "WebSocket /graphql (gateway)\n  ask auth (gateway)\n    POST /graphql (auth)",
      );
      // What is malformed is as if it weren't there.
      const [root] = (await untilTree(() => collector.ofSend(wrong), tree("\n    send mail (mail)")))
        .filter(({ parentId }) => parentId === undefined);
      assert.notEqual(root?.traceId, given.traced);
      assert.deepEqual([collector.of(given.quiet), collector.ofSend(quiet)], [[], []]);
    },
  );

  await t.step({
    name: "Prometheus leads from the time of a request, a phase or a delivery to the trace of one that took so long",
    ignore: PROMETHEUS === undefined,
    async fn() {
      await using prometheus = await Prometheus.start({ discoveryUrl: system.url("discovery"), secret: SECRET });
      await prometheus.sees({ gateway: 2 });
      const traceId = newId(32);
      await ask(system, ann, SEND, { topicId }, { traceparent: `00-${traceId}-${newId(16)}-01` });
      for (const name of WITH_EXEMPLARS) {
        await until(`an exemplar of ${name}`, async () => {
          const found = (await prometheus.exemplars(`${name}_bucket`)).filter((one) => one.traceId === traceId);
          for (const { metric, value } of found) assert.ok(value <= Number(metric.le?.replace("+Inf", "Infinity")));
          return found.length > 0;
        }, 30 * SECOND);
      }
    },
  });

  await t.step("a mail of sendEmail is sent in its trace", async () => {
    const traceId = newId(32);
    const traceparent = `00-${traceId}-${newId(16)}-01`;
    const query = 'mutation { sendEmail(to: "carl@example.com", subject: "Soup", message: "is ready") { id } }';
    await ask(system, ann, query, {}, { traceparent });
    const spans = await untilTree(
      () => collector.of(traceId),
      `POST /graphql (gateway)\n  ask mail (gateway)\n    POST /graphql (mail)\n      send mail (mail)`,
    );
    assert.equal(spans.find(({ name }) => name === "send mail")!.attributes["notifyx.mail.template"], "plain");
  });

  await t.step("what is logged below a span carries the trace's id, and what failed says so", async () => {
    const traceId = newId(32);
    system.signal("SIGSTOP", "counter");
    const { errors } = await ask(system, ann, SEND, { topicId }, { traceparent: `00-${traceId}-${newId(16)}-01` });
    system.signal("SIGCONT", "counter");
    assert.equal(errors![0]!.extensions.code, "TRANSACTION_ABORTED");
    const failed = () => collector.of(traceId).filter(({ failed }) => failed);
    await until("its spans", () => failed().some(({ name }) => name === "sendNotification"));
    assert.deepEqual(
      failed().map(({ name }) => name).sort(),
      ["prepare", "prepare counter", "sendNotification"],
    );
    const line = lines.find((one) => one.includes("a participant has no vote"));
    assert.equal(JSON.parse(line!).traceId, traceId);
  });

  await t.step(
    "a collector that is away costs a send nothing and is told of once; when it is back it gets what comes",
    async () => {
      await collector.away();
      const lost = () => lines.filter((line) => line.includes("traces are lost"));
      const began = performance.now();
      for (let nth = 0; nth < 20; nth++) await ann.send(topicId, `number ${nth}`);
      assert.ok(performance.now() - began < 10 * SECOND);
      await until("it is told", () => lost().some((line) => JSON.parse(line).logger.endsWith("gateway")), 20 * SECOND);
      for (const line of lost()) {
        const { traceId, requestId } = JSON.parse(line);
        assert.deepEqual([traceId, requestId], [undefined, undefined]);
      }
      const count = lost().length;
      collector.back();
      let id = "";
      await until("spans come again", async () => {
        id = (await ann.send(topicId, "again")).id;
        await until("its spans", () => collector.ofSend(id).length > 0, 2 * SECOND).catch(() => {});
        return collector.ofSend(id).length > 0;
      }, 30 * SECOND);
      assert.equal(new Set(lost().map((line) => JSON.parse(line).logger)).size <= 5, true);
      assert.ok(lost().length - count <= 4, "each process tells of it once");
    },
  );
});

Deno.test("tracing - by default no caller decides what is traced, and with a share of 0 nothing is", async () => {
  await using collector = Collector.start();
  await using system = await startSystem({ env: collector.env("traceidratio", "0") });
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  const traceparent = `00-${newId(32)}-${newId(16)}-01`;
  const { data } = await ask(system, ann, SEND, { topicId }, { traceparent });
  assert.ok(data.sendNotification.cursor);
  const [row] = await system.database("notifications")`select traceparent from notifications`;
  assert.equal(row!.traceparent, null);
  // Nothing is on its way either: the stop gives out what is left.
  await system.cluster.stop();
  assert.deepEqual(collector.spans, []);
});

async function listenAtTheOther(system: System, user: User): Promise<Socket> {
  const url = system.url("gateway", 1);
  const socket = await Socket.open(`${url}/graphql`, { authorization: `Bearer ${user.token}` });
  socket.subscribe("subscription { notificationReceived { id message } }");
  await until("it listens", async () => await metric(url, "notifyx_delivery_listeners") === 1);
  return socket;
}

/** As {@link graphql} does, with further headers. */
async function ask(
  system: System,
  user: User,
  query: string,
  variables: unknown,
  headers: Record<string, string>,
): Promise<Pick<Awaited<ReturnType<typeof graphql>>, "data" | "errors">> {
  const response = await fetch(system.graphqlUrl, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${user.token}`, ...headers },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(15 * SECOND),
  });
  return await response.json();
}

/** Random digits, as ids of traces and of spans are. */
function newId(digits: 16 | 32): string {
  return crypto.getRandomValues(new Uint8Array(digits / 2)).toHex();
}
