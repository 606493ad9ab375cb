/** Spans on their way to a collector: what of them waits, what is lost, and what the stop does. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { registry } from "../metrics.ts";
import { delay, SECOND } from "../time.ts";
import { type OtlpOptions, OtlpTracer } from "./otlp.ts";

interface Received {
  readonly type: string | null;
  readonly bytes: Uint8Array;
}

function options(endpoint: string, more: Partial<OtlpOptions> = {}): OtlpOptions {
  return {
    service: "gateway",
    instanceId: "gateway-1",
    endpoint,
    protocol: "http/json",
    headers: {},
    sampler: "always_on",
    ratio: 1,
    resource: { "deployment.environment.name": "test" },
    collectMs: 60 * SECOND,
    log: getLogger(["notifyx", "test"]),
    ...more,
  };
}

/** A collector whose answer waits for `answers`. */
function collect(answers: () => Promise<void> = () => Promise.resolve()) {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    received.push({
      type: request.headers.get("content-type"),
      bytes: new Uint8Array(await request.arrayBuffer()),
    });
    await answers();
    return new Response("{}", { headers: { "content-type": "application/json" } });
  });
  return { received, url: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`, stop: () => server.shutdown() };
}

const sanitized = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "otlp - the stop gives out what waits, as JSON and as protobuf",
  ...sanitized,
  async fn() {
    for (const protocol of ["http/json", "http/protobuf"] as const) {
      const collector = collect();
      const tracer = await OtlpTracer.start(options(collector.url, { protocol }));
      const span = tracer.begin("POST /graphql", undefined)!;
      span.child("ask auth", "client", { "http.response.status_code": 200 }).end();
      span.set("long", "x".repeat(1_000));
      span.end(new Error("it failed"));
      await tracer.stop();
      await collector.stop();
      assert.deepEqual(collector.received.map(({ type }) => type), [
        protocol === "http/json" ? "application/json" : "application/x-protobuf",
      ]);
      const text = new TextDecoder().decode(collector.received[0]!.bytes);
      for (const part of ["POST /graphql", "ask auth", "gateway-1", "it failed", "deployment.environment.name"]) {
        assert.ok(text.includes(part), `${protocol}: ${part}`);
      }
      assert.ok(!text.includes("x".repeat(201)), "a text is cut");
    }
  },
});

Deno.test({
  name: "otlp - a member's trace is joined where it is sampled, and else left alone",
  ...sanitized,
  async fn() {
    const collector = collect();
    const tracer = await OtlpTracer.start(options(collector.url));
    const first = tracer.begin("first", undefined)!;
    const second = tracer.join("second", "server", first.traceparent)!;
    assert.equal(second.traceId, first.traceId);
    assert.equal(tracer.join("none", "server", first.traceparent.replace(/1$/, "0")), undefined);
    assert.equal(tracer.join("none", "server", "garbage"), undefined);
    assert.equal(tracer.begin("third", first.traceparent)!.traceId, first.traceId);
    await tracer.stop();
    await collector.stop();
  },
});

Deno.test({
  name:
    "otlp - with a collector that hangs memory is bounded, what is lost is counted, and the stop takes no longer than it may",
  ...sanitized,
  async fn() {
    const hangs = Promise.withResolvers<void>();
    const collector = collect(() => hangs.promise);
    const tracer = await OtlpTracer.start(options(collector.url, { collectMs: 1 }));
    for (let nth = 0; nth < 10_000; nth++) tracer.begin(`span ${nth}`, undefined)!.end();
    while (collector.received.length === 0) await delay(10);
    const began = performance.now();
    await tracer.stop();
    assert.ok(performance.now() - began < 2 * SECOND);
    const spans = collector.received.reduce(
      (sum, { bytes }) => sum + new TextDecoder().decode(bytes).split('"name":"span ').length - 1,
      0,
    );
    assert.ok(spans <= 2_048 + 512, `${spans} spans`);
    const { values } = await registry.getSingleMetric("notifyx_trace_spans_total")!.get();
    const lost = values.find(({ labels }) => labels.result === "lost")!.value;
    assert.ok(lost >= 10_000 - 2_048 - 512, `${lost} are counted as lost`);
    hangs.resolve();
    await collector.stop();
  },
});
