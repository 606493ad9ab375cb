/** `traceparent`, by which a trace goes on in another process (https://www.w3.org/TR/trace-context/). */

export interface TraceParent {
  readonly traceId: string;
  /** Of the span below which the next one stands. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Undefined for what is none: a malformed one is as if it weren't there. Later versions may have more behind it. */
export function parseTraceparent(text: unknown): TraceParent | undefined {
  const [, version, traceId, spanId, flags, more] = (typeof text === "string" ? FORM.exec(text) : null) ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  return { traceId, spanId, sampled: (parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/** Of a span that is traced. */
export function formatTraceparent({ traceId, spanId }: Omit<TraceParent, "sampled">): string {
  return `00-${traceId}-${spanId}-01`;
}
