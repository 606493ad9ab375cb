/** A span as the rest of the code has it; only otlp.ts knows OpenTelemetry. */

/** As OpenTelemetry has them: who was asked, who asks, who takes later what somebody left. */
export type SpanKind = "internal" | "server" | "client" | "consumer";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/**
 * A part of what is done for one operation. It is handed on as an argument, as the caller is, and not kept in an asynchronous context: what
 * is batched (decisions, positions, writes) would run in whichever context began the batch. Undefined stands for what isn't traced.
 */
export interface Span {
  readonly traceId: string;
  /** For another process to join: W3C's `traceparent`. */
  readonly traceparent: string;
  /** One below it, which begins now. */
  child(name: string, kind?: SpanKind, attributes?: Attributes): Span;
  set(name: string, value: string | number | boolean): void;
  /** Once; what it failed by, if it did, is told with it. */
  end(error?: unknown): void;
}

/** `work` in a span below `parent`, which ends as it does; without a parent it is done all the same. */
export function within<T>(
  parent: Span | undefined,
  name: string,
  kind: SpanKind,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  return parent === undefined ? work(undefined) : untilEnd(parent.child(name, kind), work);
}

/** `work` in a span that ends as it does. */
export async function untilEnd<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    const result = await work(span);
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
