/**
 * Traces of this process (docs/tracing.md). A gateway begins them, all else goes on with what it was given; in most operations there is no
 * span, and where no endpoint is set nothing of this is loaded.
 *
 * Spans are npm `@opentelemetry/sdk-trace`'s and not Deno's own, which are chosen when the process starts: see otlp.ts.
 */

import type { CommonConfig } from "../config.ts";
import { type Logger, withContext } from "../log.ts";
import "./metrics.ts";
import type { OtlpTracer } from "./otlp.ts";
import { type Span, type SpanKind, untilEnd } from "./span.ts";

export { type Attributes, type Span, type SpanKind, within } from "./span.ts";
export { parseTraceparent } from "./traceparent.ts";

let tracer: OtlpTracer | undefined;

/** Has this process traced where an endpoint is set; what it answers is to be called at the stop, and gives out what is left. */
export async function startTracing(
  service: string,
  instanceId: string,
  config: CommonConfig,
  log: Logger,
): Promise<() => Promise<void>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = config;
  if (endpoint === undefined) return () => Promise.resolve();
  const { OtlpTracer } = await import("./otlp.ts");
  const started = tracer = await OtlpTracer.start({
    service,
    instanceId,
    endpoint,
    protocol: config.OTEL_EXPORTER_OTLP_PROTOCOL,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    sampler: config.OTEL_TRACES_SAMPLER,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    resource: config.OTEL_RESOURCE_ATTRIBUTES ?? {},
    collectMs: config.OTEL_BSP_SCHEDULE_DELAY,
    log,
  });
  return () => started.stop();
}

/** Whether anything may be traced here. */
export function isTracing(): boolean {
  return tracer !== undefined;
}

/**
 * The first span of an operation that comes in; undefined for one that isn't traced. `traceparent` is what its caller says: theirs is then
 * the trace that it belongs to, but whether it is traced they don't decide, unless they are believed (sampler.ts).
 */
export function beginTrace(name: string, traceparent: unknown): Span | undefined {
  return tracer?.begin(name, traceparent);
}

/** A span below that of another member of the cluster; undefined where there is none, or it isn't traced. */
export function joinTrace(name: string, kind: SpanKind, traceparent: unknown): Span | undefined {
  return tracer === undefined || traceparent === undefined || traceparent === null
    ? undefined
    : tracer.join(name, kind, traceparent);
}

/** `work` in a span that begins or joins a trace and ends as it does; each line that is logged in it has the trace's id. */
export function inTrace<T>(span: Span | undefined, work: (span: Span | undefined) => Promise<T>): Promise<T> {
  return span === undefined ? work(undefined) : withContext({ traceId: span.traceId }, () => untilEnd(span, work));
}
