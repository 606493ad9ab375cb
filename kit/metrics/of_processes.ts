/** What several kinds of processes measure: all, those with GraphQL, those with a database, participants, those who send mail. */

import type { Definitions } from "./definition.ts";

export const OF_PROCESSES = {
  notifyx_build_info: {
    type: "gauge",
    of: "every process",
    help: "Always 1: the version of the code, and of Deno, that runs",
    labels: ["version", "deno"],
  },
  notifyx_process_uptime_seconds: {
    type: "gauge",
    of: "every process",
    help: "Time since this process started",
    labels: [],
  },
  notifyx_process_resident_memory_bytes: {
    type: "gauge",
    of: "every process",
    help: "Resident memory of this process",
    labels: [],
  },
  notifyx_process_heap_bytes: {
    type: "gauge",
    of: "every process",
    help: "What is used of V8's heap, garbage that isn't collected yet included",
    labels: [],
  },
  notifyx_process_cpu_seconds_total: {
    type: "counter",
    of: "every process",
    help: "Processor time of this process, its own and the kernel's for it, over all its threads",
    labels: [],
  },
  notifyx_event_loop_lag_seconds: {
    type: "histogram",
    of: "every process",
    help: "How much later than it was due a timer ran, by a sample each quarter of a second",
    labels: [],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  notifyx_trace_spans_total: {
    type: "counter",
    of: "every process",
    help:
      "Spans of traces by what became of them: exported, or lost since the collector didn't take them or too many waited",
    labels: ["result"],
  },
  notifyx_http_request_duration_seconds: {
    type: "histogram",
    of: "every process",
    help: "Time from a request's arrival to its answer, by route",
    labels: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10],
  },
  notifyx_http_requests_in_flight: {
    type: "gauge",
    of: "every process",
    help: "Requests that have arrived and aren't answered yet",
    labels: [],
  },

  notifyx_graphql_errors_total: {
    type: "counter",
    of: "every process with GraphQL",
    help: "Errors in GraphQL answers, by code",
    labels: ["code"],
  },
  notifyx_graphql_documents_checked_total: {
    type: "counter",
    of: "every process with GraphQL",
    help:
      "Documents that were parsed and validated, since they were not kept: those with values in their text never are",
    labels: [],
  },
  notifyx_graphql_operation_duration_seconds: {
    type: "histogram",
    of: "every process with GraphQL",
    help:
      "Time to execute a query or a mutation, or to begin a subscription, by its type and by its root field as the " +
      "schema names it: several for more than one, introspection for those of GraphQL itself",
    labels: ["type", "field"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10],
  },
  notifyx_graphql_operation_errors_total: {
    type: "counter",
    of: "every process with GraphQL",
    help: "Operations in whose answer there was an error, by the code of the first one",
    labels: ["type", "field", "code"],
  },

  notifyx_cache_entries: {
    type: "gauge",
    of: "every process with GraphQL",
    help:
      "What a cache holds: documents that were checked; of a gateway sessions, rows of joins, and documents that are " +
      "asked for by their hash (persisted); of a service identities that were verified; users of auth, their letters " +
      "of avatar",
    labels: ["cache"],
  },
  notifyx_cache_entries_limit: {
    type: "gauge",
    of: "every process with GraphQL",
    help: "How many of these it holds at most; what was used longest ago makes room",
    labels: ["cache"],
  },
  notifyx_cache_lookups_total: {
    type: "counter",
    of: "every process with GraphQL",
    help: "Times that documents, sessions or identities were looked for there, by whether they were found",
    labels: ["cache", "found"],
  },

  notifyx_database_up: {
    type: "gauge",
    of: "every process with a database",
    help: "1 while its database answers",
    labels: [],
  },
  notifyx_database_wait_seconds: {
    type: "gauge",
    of: "every process with a database",
    help: "How long a trivial statement took when it was last tried, the wait for a free connection included",
    labels: [],
  },
  notifyx_database_errors_total: {
    type: "counter",
    of: "every process with a database",
    help: "Statements that failed for what the database is and not for what was asked, by kind: connection, timeout, " +
      "lock, disk_full, too_many_connections, prepared_full (max_prepared_transactions), other",
    labels: ["kind"],
  },

  notifyx_database_pool_used: {
    type: "gauge",
    of: "every process with a database",
    help: "Connections that a statement or a transaction is on, by pool: service; transactions, a participant's " +
      "for prepare and commit; queue, that of mail's jobs, one of whose connections always listens",
    labels: ["pool"],
  },
  notifyx_database_pool_waiting: {
    type: "gauge",
    of: "every process with a database",
    help: "Statements and transactions beyond a pool's connections: they wait for one, or on one for the statement " +
      "before them",
    labels: ["pool"],
  },
  notifyx_database_pool_limit: {
    type: "gauge",
    of: "every process with a database",
    help: "How many connections a pool opens at most",
    labels: ["pool"],
  },

  notifyx_participant_votes_total: {
    type: "counter",
    of: "participants",
    help: "Answers to prepare, by vote",
    labels: ["operation", "vote"],
  },
  notifyx_participant_in_doubt: {
    type: "gauge",
    of: "participants",
    help: "Prepared transactions that are past their deadline",
    labels: [],
  },
  notifyx_participant_in_doubt_oldest_age_seconds: {
    type: "gauge",
    of: "participants",
    help: "Age of the oldest prepared transaction that is past its deadline",
    labels: [],
  },

  notifyx_mail_outbox_accepted_total: {
    type: "counter",
    of: "services that send mail",
    help: "Mails that the mail service has accepted",
    labels: [],
  },
  notifyx_mail_outbox_rejected_total: {
    type: "counter",
    of: "services that send mail",
    help: "Mails that the mail service has refused for what they are",
    labels: [],
  },
  notifyx_mail_outbox_waiting: {
    type: "gauge",
    of: "services that send mail",
    help: "Mails that wait for the mail service, on all nodes of this service",
    labels: [],
  },
  notifyx_mail_outbox_oldest_age_seconds: {
    type: "gauge",
    of: "services that send mail",
    help: "Age of the oldest mail that waits for the mail service, on all nodes of this service",
    labels: [],
  },
} as const satisfies Definitions;
