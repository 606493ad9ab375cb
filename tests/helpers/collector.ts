/** A collector of traces, as far as tests need one: it takes OTLP as JSON over HTTP, and keeps the spans. */

import assert from "node:assert/strict";
import { until } from "./system.ts";

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for a root. */
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  /** The kind of process, and which one. */
  readonly service: string;
  readonly instance: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  /** In milliseconds since 1970. */
  readonly beganAt: number;
  readonly endedAt: number;
}

const KINDS = [undefined, "internal", "server", "client", "producer", "consumer"] as const;

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export class Collector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** Of the last request. */
  headers = new Headers();
  readonly #port: number;
  #server: Deno.HttpServer | undefined;

  private constructor(port: number) {
    this.#server = this.#serve(port);
    this.#port = (this.#server.addr as Deno.NetAddr).port;
  }

  static start(): Collector {
    return new Collector(0);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Settings with which every process gives its spans here. */
  env(sampler: string, ratio = "1"): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_TRACES_SAMPLER: sampler,
      OTEL_TRACES_SAMPLER_ARG: ratio,
      OTEL_BSP_SCHEDULE_DELAY: "200",
    };
  }

  /** Nobody answers any more at its port. */
  async away(): Promise<void> {
    await this.#server?.shutdown();
    this.#server = undefined;
  }

  back(): void {
    this.#server = this.#serve(this.#port);
  }

  of(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** The spans of the trace in which a notification was sent; none as long as its send hasn't come. */
  ofSend(notificationId: string): CollectedSpan[] {
    const send = this.spans.find(({ name, attributes }) =>
      name === "sendNotification" && attributes["notifyx.transaction.id"] === notificationId
    );
    return send === undefined ? [] : this.of(send.traceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.away();
  }

  #serve(port: number): Deno.HttpServer {
    return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
      assert.equal(`${request.method} ${new URL(request.url).pathname}`, "POST /v1/traces");
      this.headers = request.headers;
      this.#take(await request.json());
      return Response.json({});
    });
  }

  // deno-lint-ignore no-explicit-any -- OTLP's shape
  #take({ resourceSpans }: any): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const of = valuesOf(resource.attributes);
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            traceId: span.traceId,
            spanId: span.spanId,
            parentId: span.parentSpanId || undefined,
            name: span.name,
            kind: KINDS[span.kind as number]!,
            service: String(of["service.name"]),
            instance: String(of["service.instance.id"]),
            attributes: valuesOf(span.attributes),
            failed: span.status?.code === 2,
            beganAt: Number(span.startTimeUnixNano) / 1e6,
            endedAt: Number(span.endTimeUnixNano) / 1e6,
          });
        }
      }
    }
  }
}

function valuesOf(attributes: readonly OtlpAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** Waits until the spans that `find` gives are, as a tree, the lines of `expected`; then they are given. */
export async function untilTree(
  find: () => CollectedSpan[],
  expected: string,
  limitMs = 15_000,
): Promise<CollectedSpan[]> {
  const wanted = expected.trim().split("\n").map((line) => line.trimEnd()).join("\n");
  await until("the trace", () => treeOf(find()) === wanted, limitMs).catch(() => {});
  assert.equal(treeOf(find()), wanted);
  return find();
}

/** One line for each span, below its parent's: its name and its process. Those below the same parent stand in the order of these. */
function treeOf(spans: readonly CollectedSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = (parentId: string | undefined, indent: string): string[] =>
    spans.filter((span) => parentId === undefined ? !ids.has(span.parentId ?? "") : span.parentId === parentId)
      .map((span) => [`${indent}${span.name} (${span.service})`, ...below(span.spanId, `${indent}  `)].join("\n"))
      .sort();
  return below(undefined, "").join("\n");
}
