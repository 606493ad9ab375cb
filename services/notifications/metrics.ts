/** What the notifications service measures. */

import { counter, gauge } from "../../kit/metrics.ts";
import { SECOND } from "../../kit/time.ts";

export const feedPosition = gauge("notifyx_feed_position");

/** By `performance.now()`; undefined while nothing waits. */
let pendingSince: number | undefined;
gauge("notifyx_feed_pending", () => pendingSince === undefined ? 0 : 1);
gauge(
  "notifyx_feed_pending_oldest_age_seconds",
  () => pendingSince === undefined ? 0 : (performance.now() - pendingSince) / SECOND,
);

/** Whether something that is committed waits for its position, as far as this process sees. */
export function tellPending(isPending: boolean): void {
  pendingSince = isPending ? pendingSince ?? performance.now() : undefined;
}

export const feedStreams = gauge("notifyx_feed_streams");

export const removedRows = counter("notifyx_retention_removed_total");
