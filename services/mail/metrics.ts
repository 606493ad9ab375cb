/** Mail's own metrics. */

import { counter, gauge, histogram, startAtZero } from "../../kit/metrics.ts";
import { Figures } from "../../kit/metrics/figures.ts";
import type { MailOverview, QueueDepth } from "./overview.ts";

export const attempts = counter("notifyx_mail_sent_total");
startAtZero(attempts, "result", ["sent", "failed", "again"]);

export const sendingDuration = histogram("notifyx_mail_sending_duration_seconds");

const queue = new Figures<QueueDepth & { readonly failed: number }>();
gauge("notifyx_mail_queue_depth", queue.of(({ waiting, sending }) => waiting + sending));
gauge("notifyx_mail_queue_oldest_seconds", queue.of(({ oldestSeconds }) => oldestSeconds));
gauge("notifyx_mail_queue_many_oldest_seconds", queue.of(({ manySeconds }) => manySeconds));
gauge("notifyx_mail_failed", queue.of(({ failed }) => failed));

/** Has what waits in all, and what has failed, asked of the database at each look at the metrics. */
export function measureQueue(overview: Pick<MailOverview, "depth" | "failedCount">): void {
  queue.from(async () => {
    const [present, failed] = await Promise.all([overview.depth(), overview.failedCount()]);
    return { ...present, failed };
  });
}

export function measureConnections(busy: () => number, held: () => number): void {
  gauge("notifyx_mail_connections", (shown) => {
    shown.set({ state: "held" }, held());
    shown.set({ state: "busy" }, busy());
  });
}
