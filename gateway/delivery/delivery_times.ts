/**
 * How long notifications take from their commit to their sockets. In: what was given to the sinks of those who listen, by when it was
 * created. Out: at the end of the turn of the event loop, in which outbox.ts has written it, one observation for each, however many they are.
 */

import { histogram } from "../../kit/metrics.ts";
import { seriesOf } from "../../kit/metrics/held_series.ts";
import { SECOND } from "../../kit/time.ts";

const duration = seriesOf(histogram("notifyx_delivery_duration_seconds"), {});

let given: { readonly createdAt: string; readonly traceId: string | undefined }[] = [];

/** A notification that was created at this time, as RFC 3339, has been given out in this turn; the same one again counts once. */
export function givenOut(createdAt: string, traceId: string | undefined): void {
  if (given.at(-1)?.createdAt === createdAt) return;
  // Behind the outboxes' own, which the first sink has asked for.
  if (given.length === 0) setImmediate(observe);
  given.push({ createdAt, traceId });
}

function observe(): void {
  const now = Date.now();
  for (const { createdAt, traceId } of given) {
    const tookMs = now - Date.parse(createdAt);
    // Of the database's clock and ours one may be ahead. What is no time is none.
    if (Number.isNaN(tookMs)) continue;
    duration.observe(Math.max(0, tookMs) / SECOND, traceId === undefined ? undefined : { traceId });
  }
  given = [];
}
