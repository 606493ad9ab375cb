/** What the notifications service measures. */

import { Counter, Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";

export const feedPosition = new Gauge({
  name: "notifyx_feed_position",
  help: "The last position of the feed that this process has read",
  registers: [registry],
});

export const feedPending = new Gauge({
  name: "notifyx_feed_pending",
  help: "1 while something that is committed waits for its position",
  registers: [registry],
});

export const feedStreams = new Gauge({
  name: "notifyx_feed_streams",
  help: "Gateways that follow the feed here",
  registers: [registry],
});

export const removedRows = new Counter({
  name: "notifyx_retention_removed_total",
  help:
    "What was removed since its topic keeps it no longer, by kind: notification, trace, deleted; event counts positions looked at",
  labelNames: ["kind"],
  registers: [registry],
});
