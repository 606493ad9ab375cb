/** What the outbox of a service's mails measures (mail_outbox.ts). */

import { counter, gauge } from "./metrics.ts";
import { Figures } from "./metrics/figures.ts";

export interface OutboxFigures {
  readonly waiting: number;
  /** Since the oldest that waits was queued; 0 where none does. */
  readonly oldestSeconds: number;
  /** Kept with the reason, for some days. */
  readonly rejected: number;
}

export const acceptedMails = counter("notifyx_mail_outbox_accepted_total");

export const rejectedMails = counter("notifyx_mail_outbox_rejected_total");

const figures = new Figures<OutboxFigures>();
gauge("notifyx_mail_outbox_waiting", figures.of(({ waiting }) => waiting));
gauge("notifyx_mail_outbox_oldest_age_seconds", figures.of(({ oldestSeconds }) => oldestSeconds));

/** Has the figures read at each look at the metrics. */
export function measureOutbox(read: () => Promise<OutboxFigures>): void {
  figures.from(read);
}
