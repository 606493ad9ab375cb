/** What delivery measures, besides the sockets (socket_metrics.ts). */

import { Counter, Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";

export const listenersGauge = new Gauge({
  name: "notifyx_delivery_listeners",
  help: "Subscriptions to the feed on this gateway that get each event as it comes",
  registers: [registry],
});

export const streamsGauge = new Gauge({
  name: "notifyx_delivery_event_streams",
  help: "Event streams that are open on this gateway",
  registers: [registry],
});

export const groupsGauge = new Gauge({
  name: "notifyx_delivery_groups",
  help: "Kinds of results that subscriptions share",
  registers: [registry],
});

export const resumes = new Counter({
  name: "notifyx_delivery_resumes_total",
  help: "Subscriptions that began behind a cursor, by where what they missed came from",
  labelNames: ["from"],
  registers: [registry],
});

export const deliveries = new Counter({
  name: "notifyx_delivery_events_total",
  help: "Events of the feed that this gateway took, by kind",
  labelNames: ["kind"],
  registers: [registry],
});
