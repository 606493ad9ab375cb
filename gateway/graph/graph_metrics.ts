/** What is measured of the graph. */

import { counter, gauge } from "../../kit/metrics.ts";

export const graphServices = gauge("notifyx_graph_services");

export const graphRefused = gauge("notifyx_graph_refused");

export const graphChanges = counter("notifyx_graph_changes_total");

export const changedSubscriptions = counter("notifyx_graph_subscriptions_ended_total");
