/** What a gateway measures of the feed, the subscriptions to it, and the sockets and event streams that they go to. */

import type { Definitions } from "./definition.ts";

export const OF_DELIVERY = {
  notifyx_delivery_feed_up: {
    type: "gauge",
    of: "gateway",
    help: "1 while this gateway follows the feed of notifications",
    labels: [],
  },
  notifyx_delivery_feed_position: {
    type: "gauge",
    of: "gateway",
    help: "The last position of the feed that this gateway has taken",
    labels: [],
  },
  notifyx_delivery_feed_lag_seconds: {
    type: "gauge",
    of: "gateway",
    help: "0 while the feed is followed; else for how long nothing was heard of it",
    labels: [],
  },
  notifyx_delivery_events_total: {
    type: "counter",
    of: "gateway",
    help: "Events of the feed that this gateway took, by kind",
    labels: ["kind"],
  },
  notifyx_delivery_duration_seconds: {
    type: "histogram",
    of: "gateway",
    help:
      "Time from a notification's creation, by the database's clock, to the write of it into the sockets and event " +
      "streams that take it at once; one observation for all that get it in the same turn of the event loop",
    labels: [],
    buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  notifyx_delivery_listeners: {
    type: "gauge",
    of: "gateway",
    help: "Subscriptions to the feed on this gateway that get each event as it comes",
    labels: [],
  },
  notifyx_delivery_groups: {
    type: "gauge",
    of: "gateway",
    help: "Kinds of results that subscriptions share",
    labels: [],
  },
  notifyx_delivery_resumes_total: {
    type: "counter",
    of: "gateway",
    help: "Subscriptions that began behind a cursor, by where what they missed came from",
    labels: ["from"],
  },
  notifyx_delivery_replays: {
    type: "gauge",
    of: "gateway",
    help:
      "Pages of what was missed that are asked of the database just now, and those that wait for their turn, by state: " +
      "running, waiting",
    labels: ["state"],
  },
  notifyx_delivery_cursor_expired_total: {
    type: "counter",
    of: "gateway",
    help: "Subscriptions that ended with CURSOR_EXPIRED: what was to be received after their cursor is gone",
    labels: [],
  },
  notifyx_delivery_sockets: {
    type: "gauge",
    of: "gateway",
    help: "WebSockets that are open on this gateway",
    labels: [],
  },
  notifyx_delivery_sockets_limit: {
    type: "gauge",
    of: "gateway",
    help: "How many WebSockets and event streams this gateway takes at most; 0 where there is no limit",
    labels: [],
  },
  notifyx_delivery_operations: {
    type: "gauge",
    of: "gateway",
    help: "Operations that run on its WebSockets",
    labels: [],
  },
  notifyx_delivery_event_streams: {
    type: "gauge",
    of: "gateway",
    help: "Event streams that are open on this gateway",
    labels: [],
  },
  notifyx_delivery_waiting_bytes: {
    type: "gauge",
    of: "gateway",
    help: "What waits for WebSockets and event streams that don't take it just now",
    labels: [],
  },
  notifyx_delivery_frames_total: {
    type: "counter",
    of: "gateway",
    help: "Messages written to WebSockets and event streams",
    labels: [],
  },
  notifyx_delivery_bytes_total: {
    type: "counter",
    of: "gateway",
    help: "Bytes written to WebSockets and event streams",
    labels: [],
  },
  notifyx_delivery_limited_total: {
    type: "counter",
    of: "gateway",
    help: "What a limit refused or ended, by its kind",
    labels: ["kind"],
  },
} as const satisfies Definitions;
