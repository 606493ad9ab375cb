/** What a gateway measures of the services behind it, the graph, sessions, guards, transactions and the database's server. */

import type { Definitions } from "./definition.ts";

export const OF_GATEWAY = {
  notifyx_upstream_call_duration_seconds: {
    type: "histogram",
    of: "gateway",
    help: "Time of one call to one instance of a service, answered or not; of a stream, until it is open",
    labels: ["service"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10],
  },
  notifyx_upstream_failures_total: {
    type: "counter",
    of: "gateway",
    help: "Calls to a service that got no answer in time, no answer, or a 5xx, by the code that they ended with",
    labels: ["service", "code"],
  },
  notifyx_upstream_retries_total: {
    type: "counter",
    of: "gateway",
    help: "Calls that were asked again of another instance, and those that the budget (a tenth of all calls) forbade",
    labels: ["service", "allowed"],
  },
  notifyx_upstream_breaker_opened_total: {
    type: "counter",
    of: "gateway",
    help: "How often an instance's breaker opened",
    labels: ["service"],
  },
  notifyx_upstream_breaker_state: {
    type: "gauge",
    of: "gateway",
    help: "0 closed, 1 half-open: the next call is let through, 2 open",
    labels: ["service", "instance"],
  },
  notifyx_upstream_pending: {
    type: "gauge",
    of: "gateway",
    help: "Calls to an instance that wait for their answer",
    labels: ["service", "instance"],
  },

  notifyx_graph_services: {
    type: "gauge",
    of: "gateway",
    help: "Services whose types are in the graph",
    labels: [],
  },
  notifyx_graph_refused: {
    type: "gauge",
    of: "gateway",
    help: "Services whose present types can't be composed with the others, so that the graph goes on without them",
    labels: ["service"],
  },
  notifyx_graph_changes_total: {
    type: "counter",
    of: "gateway",
    help: "Times that the graph was replaced by one of other types",
    labels: [],
  },
  notifyx_graph_subscriptions_ended_total: {
    type: "counter",
    of: "gateway",
    help: "Subscriptions that ended because their document is not valid any more on the graph as it has become",
    labels: [],
  },
  notifyx_graph_rows: {
    type: "gauge",
    of: "gateway",
    help: "Rows of joins that are kept",
    labels: [],
  },
  notifyx_graph_rows_total: {
    type: "counter",
    of: "gateway",
    help: "Rows of joins that may be kept, by whether they were",
    labels: ["found"],
  },

  notifyx_sessions_known: {
    type: "gauge",
    of: "gateway",
    help: "Sessions whose identity is remembered, of 100000 at most; callers without one are one together",
    labels: [],
  },
  notifyx_sessions_ended_total: {
    type: "counter",
    of: "gateway",
    help: "Sessions known here that ended, by how that was learned: told by auth's stream, expired, refused by an " +
      "exchange, or asked about",
    labels: ["how"],
  },
  notifyx_sessions_stream_lost_total: {
    type: "counter",
    of: "gateway",
    help: "How often the stream of ended sessions began anew, and all that was known was asked about",
    labels: [],
  },
  notifyx_sessions_stream_up: {
    type: "gauge",
    of: "gateway",
    help: "1 while this gateway follows the sessions that end; while it doesn't, it hears of a logout on another " +
      "gateway later",
    labels: [],
  },
  notifyx_sessions_stream_position: {
    type: "gauge",
    of: "gateway",
    help: "The last ended session that this gateway has heard of",
    labels: [],
  },
  notifyx_sessions_doubted: {
    type: "gauge",
    of: "gateway",
    help: "Sessions that may have ended unheard and are being asked about",
    labels: [],
  },
  notifyx_sessions_watches: {
    type: "gauge",
    of: "gateway",
    help: "Sockets and event streams that are told when their session ends",
    labels: [],
  },

  notifyx_guards_refused_total: {
    type: "counter",
    of: "gateway",
    help: "Requests that a guard refused: document (its size), cost, untrusted, or a rate by user, address or sign_in",
    labels: ["guard"],
  },

  notifyx_transactions_total: {
    type: "counter",
    of: "gateway",
    help: "Transactions that this gateway coordinated, by operation and outcome",
    labels: ["operation", "outcome"],
  },
  notifyx_transaction_phase_duration_seconds: {
    type: "histogram",
    of: "gateway",
    help: "Time of one phase of a transaction: wait, prepare, decide, commit",
    labels: ["phase"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
  },
  notifyx_transactions_running: {
    type: "gauge",
    of: "gateway",
    help: "Transactions that this gateway coordinates at this moment",
    labels: [],
  },
  notifyx_transactions_waiting: {
    type: "gauge",
    of: "gateway",
    help: "Transactions that wait for a place here",
    labels: [],
  },
  notifyx_transactions_places: {
    type: "gauge",
    of: "gateway",
    help: "How many transactions this gateway coordinates at once at most",
    labels: [],
  },
  notifyx_transactions_refused_total: {
    type: "counter",
    of: "gateway",
    help: "Transactions that got no place here (TOO_MANY_REQUESTS): too many waited, or they waited too long",
    labels: [],
  },
  notifyx_transactions_unfinished: {
    type: "gauge",
    of: "gateway",
    help: "Transactions that are decided and not confirmed by all participants, over all gateways",
    labels: [],
  },
  notifyx_transactions_unfinished_oldest_age_seconds: {
    type: "gauge",
    of: "gateway",
    help: "Time since the oldest of these was decided, over all gateways",
    labels: [],
  },
  notifyx_transactions_damaged: {
    type: "gauge",
    of: "gateway",
    help: "Decided transactions that a participant says it can't commit; someone has to look",
    labels: [],
  },

  notifyx_database_size_bytes: {
    type: "gauge",
    of: "gateway",
    help: "What a database of ours takes on the disk of the gateway's server",
    labels: ["database"],
  },
  notifyx_database_connections: {
    type: "gauge",
    of: "gateway",
    help: "Connections to the gateway's database server, by database of ours; others are those of all others",
    labels: ["database"],
  },
  notifyx_database_connections_limit: {
    type: "gauge",
    of: "gateway",
    help: "How many connections that server takes from others than its superusers",
    labels: [],
  },
  notifyx_database_prepared_transactions: {
    type: "gauge",
    of: "gateway",
    help: "Prepared transactions on that server, of any database",
    labels: [],
  },
  notifyx_database_prepared_transactions_limit: {
    type: "gauge",
    of: "gateway",
    help: "How many prepared transactions that server takes (max_prepared_transactions)",
    labels: [],
  },
} as const satisfies Definitions;
