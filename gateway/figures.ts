/** What the gateway shows of itself on the status page. */

import { type Figure, gauge, quantile, rate } from "../kit/dashboard/figures.ts";
import { inWords } from "../kit/dashboard/format.js";

/** From here on something is wrong, in seconds: the feed says something every 3; a decision is confirmed in a moment. */
const MOST_FEED_LAG = 10;
const MOST_UNFINISHED_AGE = 15;

const TRANSACTIONS = "notifyx_transactions_total";

export const GATEWAY_FIGURES: readonly Figure[] = [
  {
    key: "sends",
    label: "Sends",
    unit: "perSecond",
    of: rate({
      metric: TRANSACTIONS,
      where: ({ operation, outcome }) => operation === "sendNotification" && outcome === "committed",
    }),
  },
  {
    key: "aborted",
    label: "Transactions aborted",
    unit: "perSecond",
    of: rate({ metric: TRANSACTIONS, where: ({ outcome }) => outcome !== "committed" }),
  },
  {
    key: "running",
    label: "Transactions running",
    unit: "count",
    of: gauge({ metric: "notifyx_transactions_running" }),
  },
  {
    key: "unfinished",
    label: "Oldest unconfirmed decision",
    unit: "seconds",
    of: gauge({ metric: "notifyx_transactions_unfinished_oldest_age_seconds" }),
    wrong: (value) =>
      value < MOST_UNFINISHED_AGE
        ? undefined
        : `a decision has not been confirmed by all for ${inWords(value, "seconds")}`,
  },
  {
    key: "damaged",
    label: "Transactions damaged",
    unit: "count",
    of: gauge({ metric: "notifyx_transactions_damaged" }),
    wrong: (value) =>
      value === 0 ? undefined : `${inWords(value, "count")} transactions are damaged: see deno task audit`,
  },
  {
    key: "messages",
    label: "Messages to clients",
    unit: "perSecond",
    of: rate({ metric: "notifyx_delivery_frames_total" }),
  },
  {
    key: "delivery",
    label: "95\u00a0% delivered within",
    unit: "seconds",
    of: quantile(0.95, { metric: "notifyx_delivery_duration_seconds" }),
  },
  { key: "sockets", label: "Sockets", unit: "count", of: gauge({ metric: "notifyx_delivery_sockets" }) },
  { key: "streams", label: "Event streams", unit: "count", of: gauge({ metric: "notifyx_delivery_event_streams" }) },
  {
    key: "feed_lag",
    label: "Feed not heard for",
    unit: "seconds",
    of: gauge({ metric: "notifyx_delivery_feed_lag_seconds" }),
    wrong: (value) =>
      value < MOST_FEED_LAG ? undefined : `the feed has not been heard for ${inWords(value, "seconds")}`,
  },
  {
    key: "waiting",
    label: "Waits for clients",
    unit: "bytes",
    of: gauge({ metric: "notifyx_delivery_waiting_bytes" }),
  },
];
