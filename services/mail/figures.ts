/** What mail shows of itself on the status page. */

import { type Figure, gauge, quantile, rate } from "../../kit/dashboard/figures.ts";
import { inWords } from "../../kit/dashboard/format.js";

/** From here on something is wrong, in seconds: what an SMTP server puts off is tried again within minutes. */
const MOST_AGE = 900;

const SENT = "notifyx_mail_sent_total";

export const MAIL_FIGURES: readonly Figure[] = [
  { key: "queue", label: "Mails waiting", unit: "count", of: gauge({ metric: "notifyx_mail_queue_depth" }) },
  {
    key: "oldest",
    label: "Oldest mail",
    unit: "seconds",
    of: gauge({ metric: "notifyx_mail_queue_oldest_seconds" }),
    wrong: (value) => value < MOST_AGE ? undefined : `the oldest mail has waited for ${inWords(value, "seconds")}`,
  },
  {
    key: "sent",
    label: "Sent",
    unit: "perSecond",
    of: rate({ metric: SENT, where: ({ result }) => result === "sent" }),
  },
  {
    key: "again",
    label: "Put off",
    unit: "perSecond",
    of: rate({ metric: SENT, where: ({ result }) => result === "again" }),
  },
  {
    key: "failed",
    label: "Failed for good",
    unit: "perSecond",
    of: rate({ metric: SENT, where: ({ result }) => result === "failed" }),
  },
  { key: "dead", label: "Dead letters", unit: "count", of: gauge({ metric: "notifyx_mail_failed" }) },
  {
    key: "sending",
    label: "95\u00a0% sent within",
    unit: "seconds",
    of: quantile(0.95, { metric: "notifyx_mail_sending_duration_seconds" }),
  },
  {
    key: "connections",
    label: "SMTP connections in use",
    unit: "count",
    of: gauge({ metric: "notifyx_mail_connections", where: ({ state }) => state === "busy" }),
  },
];
