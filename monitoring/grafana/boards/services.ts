/** Each service by itself: is it there, is it fast, what does it answer, does its database? */

import type { Board } from "./board.ts";
import { graph } from "./panels.ts";
import { CHOSEN_OF_JOB as CHOSEN, ofWork, quantile, rate } from "./query.ts";

const HTTP = "notifyx_http_request_duration_seconds";
const WORK = ofWork(CHOSEN);
const FOUND = CHOSEN.replace("{", '{found="yes",');
const FAILED = WORK.replace("{", '{status=~"5..",');

export const services: Board = {
  id: "services",
  title: "Services",
  description: "Each service by itself: is it there, is it fast, what does it answer, does its database?",
  jobs: "all",
  rows: [
    {
      title: "Are they there?",
      panels: [
        graph({
          title: "Instances",
          answers: "Live instances of each service, as discovery knows them.",
          bad: "None of a service, or fewer than there should be.",
          queries: { expr: "max by (service) (notifyx_discovery_instances)", legend: "{{service}}" },
          unit: "none",
          runbook: "ServiceAway",
        }),
        graph({
          title: "Instances that vanished",
          answers: "Instances that were dropped since discovery had not heard of them: they died or hang.",
          bad: "Any but after a kill on purpose; a stop in order takes itself out.",
          queries: {
            expr: "max by (service) (increase(notifyx_discovery_leases_expired_total[5m]))",
            legend: "{{service}}",
          },
          unit: "none",
          whenEmpty: "no instance vanished",
          runbook: "InstanceDown",
        }),
        graph({
          title: "Who follows discovery",
          answers: "Processes that follow discovery's stream, by discovery node.",
          bad: "None: the others go on with their last list until it is back.",
          queries: { expr: "notifyx_discovery_watchers", legend: "{{instance}}" },
          unit: "none",
          runbook: "DiscoveryAway",
        }),
      ],
    },
    {
      title: "What do they answer?",
      panels: [
        graph({
          title: "Requests",
          answers: "HTTP requests to each service.",
          bad: "None to one of them, while the others have theirs.",
          queries: { expr: rate(`${HTTP}_count`, ["job"], WORK), legend: "{{job}}" },
          unit: "reqps",
        }),
        graph({
          title: "Requests that failed",
          answers: "The share of HTTP requests that were answered with a 5xx.",
          bad: "More than one in a hundred: the service's log says why.",
          queries: {
            expr: `(${rate(`${HTTP}_count`, ["job"], FAILED)} or 0 * ${rate(`${HTTP}_count`, ["job"], WORK)}) / ${
              rate(`${HTTP}_count`, ["job"], WORK)
            }`,
            legend: "{{job}}",
          },
          unit: "percentunit",
          limits: { yellow: 0.01, red: 0.05 },
          runbook: "HttpErrors",
        }),
        graph({
          title: "Time to answer, p99",
          answers: "How long 99 of 100 HTTP requests take at most.",
          bad: "More than a second, where it is not a stream.",
          queries: { expr: quantile(0.99, HTTP, ["job"], WORK), legend: "{{job}}" },
          unit: "s",
          limits: { red: 1 },
        }),
        graph({
          title: "In flight",
          answers: "Requests that have arrived and aren't answered yet.",
          bad: "More and more at one service.",
          queries: { expr: `sum by (job) (notifyx_http_requests_in_flight${CHOSEN})`, legend: "{{job}}" },
          unit: "short",
        }),
        graph({
          title: "Slowest fields, p99",
          answers: "Root fields whose slowest operations take longest, in the service that answers them.",
          bad: "One far above the others: its SQL, or a lock that it waits for.",
          queries: {
            expr: `topk(5, ${
              quantile(0.99, "notifyx_graphql_operation_duration_seconds", ["job", "field"], CHOSEN)
            } >= 0)`,
            legend: "{{job}} {{field}}",
          },
          unit: "s",
        }),
        graph({
          title: "Errors in answers",
          answers: "Errors in GraphQL answers, by service and code.",
          bad: "INTERNAL: the service's log has the error under the request's id.",
          queries: { expr: rate("notifyx_graphql_errors_total", ["job", "code"], CHOSEN), legend: "{{job}} {{code}}" },
          unit: "cps",
          whenEmpty: "no error so far",
          runbook: "OperationsFailing",
        }),
      ],
    },
    {
      title: "Databases",
      panels: [
        graph({
          title: "Answer",
          answers: "1 while each service's database answers all of its instances.",
          bad: "0. Of one service: its database or role. Of all: the server.",
          queries: { expr: `min by (job) (notifyx_database_up${CHOSEN})`, legend: "{{job}}" },
          unit: "none",
          max: 1,
          limits: { redBelow: 1 },
          runbook: "DatabaseAway",
        }),
        graph({
          title: "Wait",
          answers: "How long a trivial statement took just now, the wait for a free connection included.",
          bad: "More than 0.1 s: a full pool (one service), a busy server or slow disk (all of them).",
          queries: { expr: `max by (job) (notifyx_database_wait_seconds${CHOSEN})`, legend: "{{job}}" },
          unit: "s",
          limits: { yellow: 0.1 },
          runbook: "DatabaseAway",
        }),
        graph({
          title: "Pools in use",
          answers: "The share of its connections that each pool uses: the fullest instance of each service.",
          bad: "1 for long: what comes then waits (next panel). Slow statements, a lock, or too few connections.",
          queries: {
            expr: `max by (job, pool) (notifyx_database_pool_used${CHOSEN} / notifyx_database_pool_limit${CHOSEN})`,
            legend: "{{job}} {{pool}}",
          },
          unit: "percentunit",
          max: 1,
          runbook: "DatabaseAway",
        }),
        graph({
          title: "Wait for a connection",
          answers: "Statements and transactions that are beyond the connections of their pool.",
          bad:
            "Some of `service` that stay: all that it does takes longer. `transactions` sends many on few connections, and may wait.",
          queries: { expr: `sum by (job, pool) (notifyx_database_pool_waiting${CHOSEN})`, legend: "{{job}} {{pool}}" },
          unit: "short",
          runbook: "DatabaseAway",
        }),
        graph({
          title: "Errors",
          answers: "Statements that failed for what the database is and not for what was asked.",
          bad:
            "`disk_full` and `prepared_full` at once. `connection` and `timeout` when they last. A few `lock` are usual.",
          queries: {
            expr: `${rate("notifyx_database_errors_total", ["job", "kind"], CHOSEN)} > 0`,
            legend: "{{job}} {{kind}}",
          },
          unit: "cps",
          whenEmpty: "no statement failed so",
          runbook: "DatabaseDiskFull",
        }),
        graph({
          title: "Size",
          answers: "What each database takes on the disk.",
          bad: "Growth that the disk has no room for. Retention deletes what topics keep no longer.",
          queries: { expr: "max by (database) (notifyx_database_size_bytes)", legend: "{{database}}" },
          unit: "bytes",
          runbook: "DatabaseDiskFull",
        }),
        graph({
          title: "Connections",
          answers: "Connections to the server by database, and how many it takes.",
          bad: "Close to the limit: who comes next gets none. Fewer nodes, or a higher max_connections.",
          queries: [
            { expr: "max by (database) (notifyx_database_connections)", legend: "{{database}}" },
            { expr: "max(notifyx_database_connections_limit)", legend: "limit" },
          ],
          unit: "none",
          runbook: "DatabaseConnectionsNearLimit",
        }),
        graph({
          title: "Removed by retention",
          answers: "Rows that topics keep no longer, by kind.",
          bad: "Nothing in itself; none for days while topics have a retention.",
          queries: { expr: rate("notifyx_retention_removed_total", ["kind"], CHOSEN), legend: "{{kind}}" },
          unit: "cps",
          whenEmpty: "nothing is that old",
        }),
      ],
    },
    {
      title: "Caches",
      panels: [
        graph({
          title: "Caches' room",
          answers: "What each cache holds, of the entries that it may hold: the fullest instance of each service.",
          bad: "1, while the next panel is low: what is needed again has to make room.",
          queries: {
            expr: `max by (job, cache) (notifyx_cache_entries${CHOSEN} / notifyx_cache_entries_limit${CHOSEN})`,
            legend: "{{job}} {{cache}}",
          },
          unit: "percentunit",
          max: 1,
        }),
        graph({
          title: "Found in caches",
          answers:
            "The share of what was looked for in a cache that was found there. Rows and users have their own panels.",
          bad:
            "`documents` far below 1 under load: clients write values into their texts. `sessions`: each request asks auth.",
          queries: {
            expr: `${rate("notifyx_cache_lookups_total", ["job", "cache"], FOUND)} / (${
              rate("notifyx_cache_lookups_total", ["job", "cache"], CHOSEN)
            } > 0)`,
            legend: "{{job}} {{cache}}",
          },
          unit: "percentunit",
          max: 1,
          whenEmpty: "nothing was looked for",
        }),
        graph({
          title: "Documents checked",
          answers: "GraphQL documents that were parsed and validated, since they were not kept.",
          bad:
            "As many as there are operations: each costs a tenth of a millisecond and more. Values belong into variables.",
          queries: { expr: rate("notifyx_graphql_documents_checked_total", ["job"], CHOSEN), legend: "{{job}}" },
          unit: "cps",
        }),
      ],
    },
    {
      title: "Auth and the client",
      panels: [
        graph({
          title: "Logins",
          answers: "Logins by outcome, and people who registered.",
          bad: "Many that are wrong: somebody guesses passwords. The guard of the gateways slows them down.",
          queries: [
            { expr: rate("notifyx_auth_logins_total", ["outcome"], CHOSEN), legend: "{{outcome}}" },
            { expr: rate("notifyx_auth_registrations_total", [], CHOSEN), legend: "registered" },
          ],
          unit: "cps",
        }),
        graph({
          title: "Hashes that wait",
          answers: "Password hashes that wait for their turn: each takes much of a core and of memory.",
          bad: "Tens: signing in takes seconds. At the limit newcomers are refused. Another auth node helps.",
          queries: [
            { expr: `notifyx_auth_hashes_waiting${CHOSEN}`, legend: "{{instance}}" },
            { expr: `max(notifyx_auth_hashes_waiting_limit${CHOSEN})`, legend: "limit of each" },
          ],
          unit: "short",
        }),
        graph({
          title: "Hashes at once",
          answers: "Password hashes that are being computed, of those that may be, and those that were refused.",
          bad: "Refused ones: people can't sign in (TOO_MANY_REQUESTS). Another auth node helps.",
          queries: [
            { expr: `sum(notifyx_auth_hashes_running${CHOSEN})`, legend: "running" },
            { expr: `sum(notifyx_auth_hashes_limit${CHOSEN})`, legend: "limit" },
            { expr: rate("notifyx_auth_hashes_refused_total", [], CHOSEN), legend: "refused a second" },
          ],
          unit: "short",
        }),
        graph({
          title: "Users found in memory",
          answers: "Users asked for by their ids, by whether they were kept in memory.",
          bad: "Nearly none that were kept, under load.",
          queries: { expr: rate("notifyx_auth_users_total", ["found"], CHOSEN), legend: "kept: {{found}}" },
          unit: "cps",
          whenEmpty: "no user was asked for",
        }),
        graph({
          title: "Links in mails",
          answers: "Links that were used: to confirm an address, to set a new password.",
          bad: "None for long, while people register: mails don't arrive.",
          queries: { expr: rate("notifyx_auth_links_used_total", ["kind"], CHOSEN), legend: "{{kind}}" },
          unit: "cps",
          whenEmpty: "no link was used",
          board: "mail-and-avatars",
        }),
        graph({
          title: "Ended sessions",
          answers: "Gateways that follow the ended sessions, and positions by which they are behind.",
          bad: "Fewer than there are gateways, or some behind for long: a logout is heard late.",
          queries: [
            { expr: "sum(notifyx_auth_ended_sessions_streams)", legend: "gateways that follow" },
            {
              expr: "clamp_min(max(notifyx_auth_ended_sessions_position) - min(notifyx_sessions_stream_position), 0)",
              legend: "behind",
            },
          ],
          unit: "none",
          board: "delivery",
        }),
        graph({
          title: "Sockets of the web client",
          answers: "WebSockets of browsers that the client's server passes on.",
          bad: "None, while people have it open.",
          queries: { expr: `notifyx_client_sockets${CHOSEN}`, legend: "{{instance}}" },
          unit: "short",
          whenEmpty: "the web client does not run",
        }),
      ],
    },
  ],
};
