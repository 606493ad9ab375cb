/** What each service measures for itself, and the client's server. */

import type { Definitions } from "./definition.ts";

export const OF_SERVICES = {
  notifyx_discovery_instances: {
    type: "gauge",
    of: "discovery",
    help: "Live instances, by service; of those that aren't ours, where there are very many, some together as other",
    labels: ["service"],
  },
  notifyx_discovery_leases_expired_total: {
    type: "counter",
    of: "discovery",
    help: "Instances that were dropped since they hadn't been heard of, by service as above",
    labels: ["service"],
  },
  notifyx_discovery_watchers: {
    type: "gauge",
    of: "discovery",
    help: "Processes that follow the watch stream here",
    labels: [],
  },

  notifyx_auth_logins_total: {
    type: "counter",
    of: "auth",
    help: "Logins, by outcome: good, or wrong e-mail address or password",
    labels: ["outcome"],
  },
  notifyx_auth_registrations_total: {
    type: "counter",
    of: "auth",
    help: "Users who registered",
    labels: [],
  },
  notifyx_auth_links_used_total: {
    type: "counter",
    of: "auth",
    help: "Links in mails that were used, by kind: confirm (an address), reset (a password)",
    labels: ["kind"],
  },
  notifyx_auth_users_total: {
    type: "counter",
    of: "auth",
    help: "Users asked for by their ids, by whether they were kept in memory",
    labels: ["found"],
  },
  notifyx_auth_hashes_running: {
    type: "gauge",
    of: "auth",
    help: "Password hashes that are being computed",
    labels: [],
  },
  notifyx_auth_hashes_limit: {
    type: "gauge",
    of: "auth",
    help: "How many password hashes are computed at once at most",
    labels: [],
  },
  notifyx_auth_hashes_waiting: {
    type: "gauge",
    of: "auth",
    help: "Password hashes that wait for their turn",
    labels: [],
  },
  notifyx_auth_hashes_waiting_limit: {
    type: "gauge",
    of: "auth",
    help: "How many password hashes may wait",
    labels: [],
  },
  notifyx_auth_hashes_refused_total: {
    type: "counter",
    of: "auth",
    help: "Password hashes that were not computed since too many waited (TOO_MANY_REQUESTS)",
    labels: [],
  },
  notifyx_auth_ended_sessions_position: {
    type: "gauge",
    of: "auth",
    help: "The last position that was given to an ended session, as far as this process has heard",
    labels: [],
  },
  notifyx_auth_ended_sessions_streams: {
    type: "gauge",
    of: "auth",
    help: "Gateways that follow the ended sessions here",
    labels: [],
  },

  notifyx_feed_position: {
    type: "gauge",
    of: "notifications",
    help: "The last position of the feed that this process has read",
    labels: [],
  },
  notifyx_feed_pending: {
    type: "gauge",
    of: "notifications",
    help: "1 while something that is committed waits for its position",
    labels: [],
  },
  notifyx_feed_pending_oldest_age_seconds: {
    type: "gauge",
    of: "notifications",
    help:
      "For how long there has been something that is committed and waits for its position, as this process sees it; 0 " +
      "where nothing does",
    labels: [],
  },
  notifyx_feed_streams: {
    type: "gauge",
    of: "notifications",
    help: "Gateways that follow the feed here",
    labels: [],
  },
  notifyx_retention_removed_total: {
    type: "counter",
    of: "notifications",
    help: "What was removed since its topic keeps it no longer, by kind: notification, trace, deleted; event counts " +
      "positions looked at",
    labels: ["kind"],
  },
  notifyx_mail_handed_over_total: {
    type: "counter",
    of: "notifications",
    help: "Mails that this node put into the outbox, by kind: notification, digest",
    labels: ["kind"],
  },
  notifyx_mail_dropped_total: {
    type: "counter",
    of: "notifications",
    help: "What was due and made no mail, by reason: seen, retracted, removed, deleted, left, unwanted, no_address",
    labels: ["reason"],
  },
  notifyx_mail_due: {
    type: "gauge",
    of: "notifications",
    help: "Mails and parts of digests that are due; counted up to 10000",
    labels: [],
  },
  notifyx_mail_due_oldest_age_seconds: {
    type: "gauge",
    of: "notifications",
    help: "For how long the oldest of these has been due",
    labels: [],
  },
  notifyx_mail_follower_lag: {
    type: "gauge",
    of: "notifications",
    help: "Positions of the feed whose mails are not made due yet",
    labels: [],
  },

  notifyx_mail_sent_total: {
    type: "counter",
    of: "mail",
    help: "Attempts to send a mail by this node, by result: sent, failed for good, or to be tried again",
    labels: ["result"],
  },
  notifyx_mail_sending_duration_seconds: {
    type: "histogram",
    of: "mail",
    help: "How long an attempt took, from the mail's rendering to the server's answer",
    labels: [],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  notifyx_mail_queue_depth: {
    type: "gauge",
    of: "mail",
    help: "Mails that are accepted and neither sent nor failed, over all nodes",
    labels: [],
  },
  notifyx_mail_queue_oldest_seconds: {
    type: "gauge",
    of: "mail",
    help: "How long the oldest mail that is accepted and not sent has been waiting",
    labels: [],
  },
  notifyx_mail_queue_many_oldest_seconds: {
    type: "gauge",
    of: "mail",
    help: "How long more than 20 mails that are accepted and not sent have been waiting; 0 where there are fewer",
    labels: [],
  },
  notifyx_mail_failed: {
    type: "gauge",
    of: "mail",
    help: "Dead letters: mails that have failed for good and that nobody has sent again; counted up to 10000",
    labels: [],
  },
  notifyx_mail_connections: {
    type: "gauge",
    of: "mail",
    help: "Connections to the SMTP server that this node may have, and those in use",
    labels: ["state"],
  },

  notifyx_avatars_total: {
    type: "counter",
    of: "avatar",
    help:
      "Pictures that were asked for: a hit was kept, a miss was drawn, shared waited for one that was being drawn, " +
      "known was at the client already",
    labels: ["found"],
  },
  notifyx_avatar_drawing_seconds: {
    type: "histogram",
    of: "avatar",
    help: "Time to draw a picture and to encode it, by style",
    labels: ["style"],
    buckets: [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.1],
  },
  notifyx_avatars_refused_total: {
    type: "counter",
    of: "avatar",
    help: "Pictures that were not drawn since too many were waiting",
    labels: [],
  },
  notifyx_avatar_workers_replaced_total: {
    type: "counter",
    of: "avatar",
    help: "Threads that draw which died or took too long, and were replaced",
    labels: [],
  },
  notifyx_avatar_cache_bytes: {
    type: "gauge",
    of: "avatar",
    help: "What drawn pictures take of the memory",
    labels: [],
  },
  notifyx_avatar_cache_limit_bytes: {
    type: "gauge",
    of: "avatar",
    help: "What they may take; 0 where none are kept",
    labels: [],
  },
  notifyx_avatars_waiting: {
    type: "gauge",
    of: "avatar",
    help: "Pictures that wait to be drawn",
    labels: [],
  },
  notifyx_avatars_waiting_limit: {
    type: "gauge",
    of: "avatar",
    help: "How many pictures may wait",
    labels: [],
  },
  notifyx_avatar_threads: {
    type: "gauge",
    of: "avatar",
    help: "Threads that draw, by state: busy, idle, or starting",
    labels: ["state"],
  },

  notifyx_client_sockets: {
    type: "gauge",
    of: "client",
    help: "WebSockets of browsers that are passed on to gateways",
    labels: [],
  },
} as const satisfies Definitions;
