/** From the feed to the sockets: is what is sent received, in time, and by everyone who is there? */

import type { Board } from "./board.ts";
import { graph } from "./panels.ts";
import { CHOSEN, orNone, quantiles, rate } from "./query.ts";

export const delivery: Board = {
  id: "delivery",
  title: "Delivery",
  description: "From the feed to the sockets: is what is sent received, in time, and by everyone who is there?",
  jobs: ["gateway", "notifications"],
  rows: [
    {
      title: "Late?",
      panels: [
        graph({
          title: "Delivery time",
          answers:
            "From the making of a notification, as its sender asks for it, to the write into the socket: two-phase commit, the feed, the gateway's turn, the socket.",
          bad:
            "A p99 over a second. Look at the phases first (Transactions), then at the feed (below) and at the gateway's event loop.",
          queries: quantiles("notifyx_delivery_duration_seconds"),
          unit: "s",
          limits: { red: 1 },
          whenEmpty: "nothing was delivered",
          runbook: "DeliverySlow",
        }),
        graph({
          title: "Feed not heard for",
          answers: "For how long each gateway has heard nothing of the feed; 0 while its stream is open.",
          bad:
            "Seconds at one gateway: its stream is lost. At all: no notifications instance answers. What has no position yet isn't in it: that is the next panel.",
          queries: { expr: `notifyx_delivery_feed_lag_seconds${CHOSEN}`, legend: "{{instance}}" },
          unit: "s",
          limits: { yellow: 1, red: 15 },
          runbook: "GatewayBehindFeed",
        }),
        graph({
          title: "Waits for its position",
          answers:
            "For how long the oldest that is committed has waited for its place in the feed. Before that nobody sees it.",
          bad: "More than a second: no notifications instance writes positions, or its database is slow.",
          queries: { expr: `notifyx_feed_pending_oldest_age_seconds${CHOSEN}`, legend: "{{instance}}" },
          unit: "s",
          limits: { yellow: 1, red: 15 },
          runbook: "FeedStalled",
        }),
        graph({
          title: "Positions behind",
          answers:
            "How many positions of the feed each gateway has yet to take: the least of the last minute, since not all are scraped at once.",
          bad: "More and more: it takes less than is sent.",
          queries: {
            expr:
              `clamp_min(min_over_time((scalar(max(notifyx_feed_position)) - notifyx_delivery_feed_position${CHOSEN})[1m:5s]), 0)`,
            legend: "{{instance}}",
          },
          unit: "short",
          runbook: "GatewayBehindFeed",
        }),
        graph({
          title: "Feed's pace",
          answers:
            "Positions given in a second (what is sent, acknowledged, joined and left), and those that each gateway took.",
          bad:
            "A gateway below the feed for long: it takes less than is sent. None, while something waits for its position.",
          queries: [
            { expr: "max(deriv(notifyx_feed_position[1m]))", legend: "the feed" },
            { expr: `deriv(notifyx_delivery_feed_position${CHOSEN}[1m])`, legend: "{{instance}}" },
          ],
          unit: "cps",
          runbook: "FeedStalled",
        }),
        graph({
          title: "Streams of the feed",
          answers: "Gateways that follow the feed, as its instances see it and as they themselves do (1 each).",
          bad: "Fewer than there are gateways: those that don't follow deliver nothing until they do.",
          queries: [
            { expr: `sum(notifyx_feed_streams${CHOSEN})`, legend: "followers of the feed" },
            { expr: `sum(notifyx_delivery_feed_up${CHOSEN})`, legend: "gateways that follow" },
            { expr: `count(notifyx_delivery_feed_up${CHOSEN})`, legend: "gateways" },
          ],
          unit: "none",
          runbook: "FeedStalled",
        }),
      ],
    },
    {
      title: "Lost?",
      panels: [
        graph({
          title: "Resumes",
          answers: "Subscriptions that went on behind a cursor, by where what they had missed came from.",
          bad: "Many at once from the database: all clients came back together, and the inbox is busy.",
          queries: { expr: rate("notifyx_delivery_resumes_total", ["from"]), legend: "from the {{from}}" },
          unit: "cps",
          whenEmpty: "nobody came back with a cursor",
        }),
        graph({
          title: "Pages of what was missed",
          answers: "Pages that are asked of the database just now, for those who came back, and those that wait.",
          bad:
            "Many that wait for long: all clients came back together. They get theirs in turn; notifications is busy.",
          queries: { expr: `sum by (state) (notifyx_delivery_replays${CHOSEN})`, legend: "{{state}}" },
          unit: "short",
        }),
        graph({
          title: "Cursors that expired",
          answers: "Clients that came back too late: part of what they missed is gone, and they were told so.",
          bad: "Any that nobody expects: retention is too short, or a database was restored.",
          queries: { expr: orNone(rate("notifyx_delivery_cursor_expired_total")), legend: "CURSOR_EXPIRED" },
          unit: "cps",
          runbook: "CursorExpired",
        }),
        graph({
          title: "Refused or ended by a limit",
          answers: "Sockets and messages beyond a limit, by its kind; `slow` are those that don't read what they get.",
          bad: "`sockets`: the gateway is full. The others are one user's or one address's.",
          queries: { expr: rate("notifyx_delivery_limited_total", ["kind"]), legend: "{{kind}}" },
          unit: "cps",
          whenEmpty: "no limit was reached",
          runbook: "SocketsRefused",
        }),
      ],
    },
    {
      title: "How much?",
      panels: [
        graph({
          title: "Sockets",
          answers: "Open WebSockets and event streams of each gateway.",
          bad: "A sudden fall: a gateway or what is before it dropped them. They come back within seconds.",
          queries: [
            { expr: `notifyx_delivery_sockets${CHOSEN}`, legend: "{{instance}} sockets" },
            { expr: `notifyx_delivery_event_streams${CHOSEN}`, legend: "{{instance}} event streams" },
          ],
          unit: "short",
        }),
        graph({
          title: "Of the limit",
          answers: "Sockets and event streams of each gateway, of those that it takes.",
          bad: "Most of them: newcomers are soon sent away. Another gateway helps.",
          queries: {
            expr:
              `(notifyx_delivery_sockets${CHOSEN} + notifyx_delivery_event_streams${CHOSEN}) / (notifyx_delivery_sockets_limit${CHOSEN} > 0)`,
            legend: "{{instance}}",
          },
          unit: "percentunit",
          limits: { yellow: 0.8 },
          whenEmpty: "there is no limit",
          runbook: "SocketsNearLimit",
        }),
        graph({
          title: "Subscriptions",
          answers:
            "What is followed on the sockets: operations, those that get each event, and kinds of results that they share.",
          bad: "As many groups as listeners: nothing is shared, and each event is executed for everyone.",
          queries: [
            { expr: `sum(notifyx_delivery_operations${CHOSEN})`, legend: "operations" },
            { expr: `sum(notifyx_delivery_listeners${CHOSEN})`, legend: "listeners" },
            { expr: `sum(notifyx_delivery_groups${CHOSEN})`, legend: "groups" },
          ],
          unit: "short",
        }),
        graph({
          title: "Events taken",
          answers: "Events of the feed that each gateway took, by kind.",
          bad: "Nothing in itself: it is what deliveries are made of.",
          queries: { expr: rate("notifyx_delivery_events_total", ["kind"]), legend: "{{kind}}" },
          unit: "cps",
          whenEmpty: "nothing was sent",
        }),
        graph({
          title: "Messages",
          answers: "Messages written to WebSockets and event streams.",
          bad: "None, while events are taken and listeners are there.",
          queries: { expr: rate("notifyx_delivery_frames_total", ["instance"]), legend: "{{instance}}" },
          unit: "cps",
        }),
        graph({
          title: "Bytes",
          answers: "Bytes written to WebSockets and event streams.",
          bad: "As much as the network takes.",
          queries: { expr: rate("notifyx_delivery_bytes_total", ["instance"]), legend: "{{instance}}" },
          unit: "Bps",
        }),
        graph({
          title: "Waits for slow clients",
          answers: "What is kept for clients that don't take it just now.",
          bad: "Much of the gateway's memory; clients that stay slow are closed, and come back with their cursor.",
          queries: { expr: `notifyx_delivery_waiting_bytes${CHOSEN}`, legend: "{{instance}}" },
          unit: "bytes",
        }),
      ],
    },
    {
      title: "Sessions that end",
      panels: [
        graph({
          title: "Stream of ended sessions",
          answers: "1 while a gateway hears of sessions that end.",
          bad: "0: a logout elsewhere closes sockets here only when the session is asked about.",
          queries: { expr: `notifyx_sessions_stream_up${CHOSEN}`, legend: "{{instance}}" },
          unit: "none",
          max: 1,
          limits: { redBelow: 1 },
        }),
        graph({
          title: "Sessions on sockets",
          answers: "Sockets and streams that end with their session, and sessions that are being asked about.",
          bad: "Doubted ones that don't go away: auth does not answer.",
          queries: [
            { expr: `sum(notifyx_sessions_watches${CHOSEN})`, legend: "watched" },
            { expr: `sum(notifyx_sessions_doubted${CHOSEN})`, legend: "doubted" },
          ],
          unit: "short",
        }),
        graph({
          title: "Sessions remembered",
          answers: "Sessions whose identity each gateway remembers, so that it need not ask auth.",
          bad: "100,000, the most: who has not come for longest is asked about again.",
          queries: { expr: `notifyx_sessions_known${CHOSEN}`, legend: "{{instance}}" },
          unit: "short",
        }),
        graph({
          title: "Sessions that ended",
          answers: "By how the gateways learned it, and how often their stream began anew.",
          bad: "`refused` in numbers: somebody tries old tokens.",
          queries: [
            { expr: rate("notifyx_sessions_ended_total", ["how"]), legend: "{{how}}" },
            { expr: rate("notifyx_sessions_stream_lost_total"), legend: "the stream began anew" },
          ],
          unit: "cps",
        }),
      ],
    },
  ],
};
