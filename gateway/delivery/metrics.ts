/** What delivery measures, besides the sockets (socket_metrics.ts). */

import { counter, gauge, startAtZero } from "../../kit/metrics.ts";
import { SECOND } from "../../kit/time.ts";
import type { Hub } from "./hub.ts";

export const listenersGauge = gauge("notifyx_delivery_listeners");

export const streamsGauge = gauge("notifyx_delivery_event_streams");

export const groupsGauge = gauge("notifyx_delivery_groups");

export const cursorsExpired = counter("notifyx_delivery_cursor_expired_total");

export const resumes = counter("notifyx_delivery_resumes_total");
startAtZero(resumes, "from", ["window", "database"]);

export const deliveries = counter("notifyx_delivery_events_total");

export function measureFeed(hub: Pick<Hub, "position" | "silentMs" | "replays">): void {
  gauge("notifyx_delivery_feed_up", () => hub.silentMs === 0 ? 1 : 0);
  gauge("notifyx_delivery_feed_position", () => hub.position ?? 0);
  gauge("notifyx_delivery_feed_lag_seconds", () => hub.silentMs / SECOND);
  gauge("notifyx_delivery_replays", (shown) => {
    shown.set({ state: "running" }, hub.replays.running);
    shown.set({ state: "waiting" }, hub.replays.waiting);
  });
}
