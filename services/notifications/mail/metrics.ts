/** What is measured of notifications on their way to becoming mails, as all nodes together stand, and what this node has done. */

import { counter, gauge } from "../../../kit/metrics.ts";
import { Figures } from "../../../kit/metrics/figures.ts";

export interface MailFigures {
  /** Mails and parts of digests that are due and not handed over; counted up to {@link COUNTED}. */
  readonly due: number;
  /** For how long the oldest of these has been due; 0 where there is none. */
  readonly oldestSeconds: number;
  /** Positions of the feed whose mails are not made due yet. */
  readonly lag: number;
}

/** So far what is due is counted. */
export const COUNTED = 10_000;

export const mailsHandedOver = counter("notifyx_mail_handed_over_total");

export const mailsDropped = counter("notifyx_mail_dropped_total");

const figures = new Figures<MailFigures>();
gauge("notifyx_mail_due", figures.of(({ due }) => due));
gauge("notifyx_mail_due_oldest_age_seconds", figures.of(({ oldestSeconds }) => oldestSeconds));
gauge("notifyx_mail_follower_lag", figures.of(({ lag }) => lag));

/** Has the figures read at each look at the metrics. */
export function measureMail(read: () => Promise<MailFigures>): void {
  figures.from(read);
}
