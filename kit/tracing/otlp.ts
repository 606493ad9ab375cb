/**
 * Spans by OpenTelemetry's SDK, given out by OTLP over HTTP. The only file that knows its packages, and loaded only where an endpoint is set.
 *
 * Deno has OpenTelemetry of its own (`OTEL_DENO`), which would need no package. It is not used: it makes spans of every request and fetch,
 * those of health checks, heartbeats and metrics too, each of which would begin a trace, so that a send has more roots than one; it knows
 * nothing of an operation over a WebSocket or of the feed, which would be spans of ours all the same; and it costs every request something,
 * where here one that isn't traced costs a comparison.
 */

import {
  type Context,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanKind as SdkKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { reason } from "../directory.ts";
import { UserError } from "../errors.ts";
import { type Logger, withContext } from "../log.ts";
import { SECOND, withTimeLimit } from "../time.ts";
import { VERSION } from "../version.ts";
import { spans } from "./metrics.ts";
import { Sampler, type SamplerName } from "./sampler.ts";
import type { Attributes, Span, SpanKind } from "./span.ts";
import { formatTraceparent, parseTraceparent, type TraceParent } from "./traceparent.ts";

/** How many ended spans wait; what comes beyond is lost. And how many go out together at most. */
const MOST_WAITING = 2_048;
const BATCH = 512;
/** How long the collector may take for a batch, tries again included, and how long the stop waits for it, in milliseconds. */
const EXPORT_LIMIT_MS = 5 * SECOND;
const STOP_LIMIT_MS = 1.5 * SECOND;
/** The longest text of an attribute, in characters: an operation's name is its client's to choose. */
const TEXT_LIMIT = 200;

const KINDS: Record<SpanKind, SdkKind> = {
  internal: SdkKind.INTERNAL,
  server: SdkKind.SERVER,
  client: SdkKind.CLIENT,
  consumer: SdkKind.CONSUMER,
};

export interface OtlpOptions {
  /** As the spans name it: the kind of process. */
  readonly service: string;
  readonly instanceId: string;
  /** The collector's base URL. */
  readonly endpoint: string;
  readonly protocol: "http/json" | "http/protobuf";
  /** What it wants to be told with each request. */
  readonly headers: Record<string, string>;
  readonly sampler: SamplerName;
  readonly ratio: number;
  /** Further attributes of this process. */
  readonly resource: Readonly<Record<string, string>>;
  /** How long spans are collected, in milliseconds. */
  readonly collectMs: number;
  readonly log: Logger;
}

export class OtlpTracer {
  readonly #exporter: Reported;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #sampler: Sampler;

  private constructor(exporter: SpanExporter, options: OtlpOptions) {
    const { service, instanceId, sampler, ratio, resource, collectMs, log } = options;
    this.#exporter = new Reported(exporter, log);
    this.#provider = new TracerProvider({
      resource: defaultResource().merge(resourceFromAttributes({
        ...resource,
        "service.name": service,
        "service.namespace": "notifyx",
        "service.instance.id": instanceId,
        "service.version": VERSION,
      })),
      spanLimits: { attributeValueLengthLimit: TEXT_LIMIT },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: this.#exporter,
          maxQueueSize: MOST_WAITING,
          maxExportBatchSize: BATCH,
          scheduledDelayMillis: collectMs,
          exportTimeoutMillis: EXPORT_LIMIT_MS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer("notifyx", VERSION);
    this.#sampler = new Sampler(sampler, ratio);
  }

  static async start(options: OtlpOptions): Promise<OtlpTracer> {
    const { OTLPTraceExporter } = options.protocol === "http/json"
      ? await import("@opentelemetry/exporter-trace-otlp-http")
      : await import("@opentelemetry/exporter-trace-otlp-proto");
    // It reads OTEL_EXPORTER_OTLP_COMPRESSION by itself.
    const exporter = new OTLPTraceExporter({
      headers: options.headers,
      url: `${options.endpoint.replace(/\/+$/, "")}/v1/traces`,
      timeoutMillis: EXPORT_LIMIT_MS,
    });
    return new OtlpTracer(exporter, options);
  }

  begin(name: string, traceparent: unknown): Span | undefined {
    const parent = () => parseTraceparent(traceparent);
    return this.#sampler.takes(parent) ? this.#start(name, "server", parent()) : undefined;
  }

  join(name: string, kind: SpanKind, traceparent: unknown): Span | undefined {
    const parent = parseTraceparent(traceparent);
    return parent?.sampled ? this.#start(name, kind, parent) : undefined;
  }

  /** Gives out what waits, within 1.5 s; what a collector that is away was to have is lost. */
  async stop(): Promise<void> {
    if (this.#exporter.isAway) return;
    await withTimeLimit("the collector", STOP_LIMIT_MS, this.#provider.shutdown()).catch(() => {});
  }

  #start(name: string, kind: SpanKind, parent: TraceParent | undefined): Span {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: TraceFlags.SAMPLED,
      isRemote: true,
    });
    return new OtlpSpan(this.#tracer, this.#tracer.startSpan(name, { kind: KINDS[kind] }, context), this.#exporter);
  }
}

class OtlpSpan implements Span {
  readonly traceId: string;
  #context: Context | undefined;

  constructor(
    private readonly tracer: Tracer,
    private readonly span: SdkSpan,
    private readonly exporter: Reported,
  ) {
    this.traceId = span.spanContext().traceId;
  }

  get traceparent(): string {
    return formatTraceparent(this.span.spanContext());
  }

  child(name: string, kind: SpanKind = "internal", attributes?: Attributes): Span {
    this.#context ??= trace.setSpan(ROOT_CONTEXT, this.span);
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], attributes }, this.#context);
    return new OtlpSpan(this.tracer, span, this.exporter);
  }

  set(name: string, value: string | number | boolean): void {
    this.span.setAttribute(name, value);
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      this.span.setStatus({ code: SpanStatusCode.ERROR, message: reason(error).slice(0, TEXT_LIMIT) });
      this.span.setAttribute("error.type", error instanceof UserError ? error.code : nameOf(error));
    }
    this.exporter.ended();
    this.span.end();
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** Says once that the collector takes nothing, and once that it does again; and counts what it gets and what it doesn't. */
class Reported implements SpanExporter {
  isAway = false;
  /** Ended, and not given to the exporter yet: the batches' queue, which doesn't say how long it is. */
  #waiting = 0;

  constructor(private readonly exporter: SpanExporter, private readonly log: Logger) {}

  ended(): void {
    if (this.#waiting < MOST_WAITING) this.#waiting++;
    else spans.inc({ result: "lost" });
  }

  export(batch: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#waiting -= batch.length;
    this.exporter.export(batch, (result) => {
      this.#report(result);
      spans.inc({ result: result.code === ExportResultCode.SUCCESS ? "exported" : "lost" }, batch.length);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  #report({ code, error }: ExportResult): void {
    const isAway = code !== ExportResultCode.SUCCESS;
    if (isAway === this.isAway) return;
    this.isAway = isAway;
    // A batch goes out in the turn of whoever ended its last span, of whom this says nothing.
    withContext({ requestId: undefined, traceId: undefined }, () => {
      if (isAway) {
        this.log.warning("traces are lost: the collector doesn't take them: {error}", { error: reason(error) });
      } else this.log.info("traces are collected again");
    });
  }
}
