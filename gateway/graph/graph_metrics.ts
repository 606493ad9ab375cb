/** What is measured of the graph. */

import { Counter, Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";

export const graphServices = new Gauge({
  name: "notifyx_graph_services",
  help: "Services whose types are in the graph",
  registers: [registry],
});

export const graphRefused = new Gauge({
  name: "notifyx_graph_refused",
  help: "Services whose present types can't be composed with the others, so that the graph goes on without them",
  labelNames: ["service"],
  registers: [registry],
});

export const graphChanges = new Counter({
  name: "notifyx_graph_changes_total",
  help: "Times that the graph was replaced by one of other types",
  registers: [registry],
});

export const changedSubscriptions = new Counter({
  name: "notifyx_graph_subscriptions_ended_total",
  help: "Subscriptions that ended because their document is not valid any more on the graph as it has become",
  registers: [registry],
});
