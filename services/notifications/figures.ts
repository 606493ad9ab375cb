/** What notifications shows of itself on the status page, besides its transactions. */

import { type Figure, gauge, rate } from "../../kit/dashboard/figures.ts";
import { inWords } from "../../kit/dashboard/format.js";

/** From here on something is wrong, in seconds: a position is given in milliseconds, and mails leave at once. */
const MOST_PENDING_AGE = 5;
const MOST_MAIL_AGE = 300;

export const NOTIFICATIONS_FIGURES: readonly Figure[] = [
  {
    key: "positions",
    label: "Positions of the feed",
    unit: "perSecond",
    of: rate({ metric: "notifyx_feed_position" }),
  },
  {
    key: "pending",
    label: "Oldest without a position",
    unit: "seconds",
    of: gauge({ metric: "notifyx_feed_pending_oldest_age_seconds" }),
    wrong: (value) =>
      value < MOST_PENDING_AGE ? undefined : `something has waited for its position for ${inWords(value, "seconds")}`,
  },
  { key: "streams", label: "Gateways on the feed", unit: "count", of: gauge({ metric: "notifyx_feed_streams" }) },
  {
    key: "mail_due",
    label: "Oldest mail that is due",
    unit: "seconds",
    of: gauge({ metric: "notifyx_mail_due_oldest_age_seconds" }),
    wrong: (value) => value < MOST_MAIL_AGE ? undefined : `a mail has been due for ${inWords(value, "seconds")}`,
  },
];
