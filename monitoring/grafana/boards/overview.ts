/** The first board that one opens: is anything lost or late, whose fault is it, what is to be done? It shows the whole system. */

import type { Board } from "./board.ts";
import { figure, graph, table } from "./panels.ts";
import { ofWork, orNone, quantile, quantiles, rate } from "./query.ts";

const ALL = "";

export const overview: Board = {
  id: "overview",
  title: "Overview",
  description: "Is anything lost or late, whose fault is it, what is to be done? The whole system.",
  rows: [
    {
      title: "Is anything lost or late?",
      panels: [
        figure({
          title: "Alerts",
          answers: "How many alerts fire just now.",
          bad: "Any. The table below names them, and each has its paragraph in the runbook.",
          queries: { expr: orNone('count(ALERTS{alertstate="firing"})'), legend: "firing" },
          unit: "none",
          limits: { red: 1 },
        }),
        figure({
          title: "Damaged",
          answers:
            "Transactions that are decided and that a participant says it can't commit: something would be lost.",
          bad: "Any. Nothing mends it by itself: look at the gateway's status page, then at `deno task audit`.",
          queries: { expr: "max(notifyx_transactions_damaged)", legend: "damaged" },
          unit: "none",
          limits: { red: 1 },
          board: "transactions",
          runbook: "TransactionDamaged",
        }),
        figure({
          title: "In doubt for",
          answers:
            "How long the oldest prepared transaction has been past its deadline: it holds locks until it is decided.",
          bad: "More than 15 s while all is up: its participant reaches no gateway.",
          queries: { expr: "max(notifyx_participant_in_doubt_oldest_age_seconds)", legend: "oldest" },
          unit: "s",
          limits: { yellow: 15, red: 30 },
          board: "transactions",
          runbook: "TransactionsInDoubt",
        }),
        figure({
          title: "Not delivered for",
          answers:
            "For how long something that is committed has had no place in the feed, or a gateway has heard nothing of the feed.",
          bad:
            "Seconds: people get notifications late. None is lost; they come when it goes on. Delivery shows which of the two it is.",
          queries: {
            expr: "max(max(notifyx_feed_pending_oldest_age_seconds) or max(notifyx_delivery_feed_lag_seconds))",
            legend: "longest",
          },
          unit: "s",
          limits: { yellow: 1, red: 15 },
          board: "delivery",
          runbook: "GatewayBehindFeed",
        }),
        figure({
          title: "Delivery, p99",
          answers: "The time from a sender's question to the receivers' sockets that 99 of 100 keep within.",
          bad: "More than a second. Transactions shows what of it is the send itself, Delivery the rest.",
          queries: { expr: quantile(0.99, "notifyx_delivery_duration_seconds", [], ALL), legend: "p99" },
          unit: "s",
          limits: { yellow: 0.5, red: 1 },
          whenEmpty: "nothing was delivered",
          board: "delivery",
          runbook: "DeliverySlow",
        }),
        figure({
          title: "Oldest mail",
          answers: "How long the oldest mail that is accepted and not sent has been waiting.",
          bad: "Minutes: the mail server is away or refuses, or too few mail nodes run.",
          queries: { expr: "max(notifyx_mail_queue_oldest_seconds)", legend: "oldest" },
          unit: "s",
          limits: { yellow: 60, red: 600 },
          whenEmpty: "no mail service",
          board: "mail-and-avatars",
          runbook: "MailQueueOld",
        }),
      ],
    },
    {
      title: "What is to be done?",
      panels: [
        table({
          title: "Alerts that fire or are about to",
          answers: "What is wrong, and where.",
          bad: "Any row. Its name leads to its paragraph in the runbook.",
          queries: {
            expr: "sum by (alertname, alertstate, severity, job, service, instance) (ALERTS)",
            legend: "{{alertname}}",
          },
          columns: {
            alertname: "alert",
            alertstate: "state",
            severity: "severity",
            job: "job",
            service: "service",
            instance: "instance",
          },
          unit: "none",
          whenEmpty: "no alert: there is nothing to be done",
          board: "runbook",
          height: 5,
        }),
      ],
    },
    {
      title: "What goes through",
      panels: [
        graph({
          title: "Sends",
          answers: "Transactions that were decided, by outcome. Committed ones are kept, whatever dies next.",
          bad: "Aborted ones: somebody was told that it did not happen. A participant that is away aborts all.",
          queries: { expr: rate("notifyx_transactions_total", ["outcome"], ALL), legend: "{{outcome}}" },
          unit: "cps",
          whenEmpty: "nothing was sent",
          board: "transactions",
          runbook: "SendsAborted",
        }),
        graph({
          title: "Deliveries",
          answers: "Messages written to WebSockets and event streams by each gateway.",
          bad: "None, while sends go on and sockets are open.",
          queries: { expr: rate("notifyx_delivery_frames_total", ["instance"], ALL), legend: "{{instance}}" },
          unit: "cps",
          board: "delivery",
        }),
        graph({
          title: "Delivery time",
          answers: "From a sender's question, as the notification is made, to the write into the receiver's socket.",
          bad: "A p99 over a second, or a p50 that climbs.",
          queries: quantiles("notifyx_delivery_duration_seconds", [], ALL),
          unit: "s",
          limits: { red: 1 },
          whenEmpty: "nothing was delivered",
          board: "delivery",
          runbook: "DeliverySlow",
        }),
        graph({
          title: "Requests at the gateways",
          answers: "GraphQL operations at the gateways, by type, and errors in their answers.",
          bad: "Errors that climb with no more requests. Gateway shows their codes.",
          queries: [
            {
              expr: rate("notifyx_graphql_operation_duration_seconds_count", ["type"], '{job="gateway"}'),
              legend: "{{type}}",
            },
            { expr: orNone(rate("notifyx_graphql_errors_total", [], '{job="gateway"}')), legend: "errors" },
          ],
          unit: "ops",
          board: "gateway",
        }),
        graph({
          title: "Sockets",
          answers: "WebSockets that are open on each gateway.",
          bad: "A sudden fall: a gateway or what is before it dropped them. They come back within seconds.",
          queries: { expr: "notifyx_delivery_sockets", legend: "{{instance}}" },
          unit: "short",
          board: "delivery",
          runbook: "SocketsNearLimit",
        }),
        graph({
          title: "Mails",
          answers: "Attempts to send a mail, by result.",
          bad: "`again` without `sent`: the mail server takes none. `failed` ones are not tried again.",
          queries: { expr: rate("notifyx_mail_sent_total", ["result"], ALL), legend: "{{result}}" },
          unit: "cps",
          whenEmpty: "no mail was due",
          board: "mail-and-avatars",
          runbook: "MailFailing",
        }),
      ],
    },
    {
      title: "Whose fault is it?",
      panels: [
        graph({
          title: "Instances",
          answers: "Live instances of each service, as discovery knows them.",
          bad: "None of a service. One less than there should be: its process died, hangs, or reaches no discovery.",
          queries: { expr: "max by (service) (notifyx_discovery_instances)", legend: "{{service}}" },
          unit: "none",
          board: "services",
          runbook: "ServiceAway",
        }),
        graph({
          title: "Calls without an answer",
          answers: "Calls of the gateways that a service did not answer in time, or at all, or with a 5xx.",
          bad: "Any that last: it is the service that is named.",
          queries: {
            expr: rate("notifyx_upstream_failures_total", ["service", "code"], ALL),
            legend: "{{service}} {{code}}",
          },
          unit: "cps",
          whenEmpty: "no call failed",
          board: "gateway",
          runbook: "BreakerOpen",
        }),
        graph({
          title: "Breakers",
          answers: "The worst breaker of each service: 0 closed, 1 half-open, 2 open (that instance gets no calls).",
          bad: "2 for longer than a restart takes.",
          queries: { expr: "max by (service) (notifyx_upstream_breaker_state)", legend: "{{service}}" },
          unit: "none",
          max: 2,
          limits: { red: 2 },
          board: "gateway",
          runbook: "BreakerOpen",
        }),
        graph({
          title: "Time to answer, p99",
          answers: "How long 99 of 100 HTTP requests take at most, by service.",
          bad: "One service far above its usual: the others wait for it.",
          queries: {
            expr: quantile(0.99, "notifyx_http_request_duration_seconds", ["job"], ofWork(ALL)),
            legend: "{{job}}",
          },
          unit: "s",
          board: "services",
        }),
        graph({
          title: "Databases",
          answers:
            "How long a trivial statement took just now, the wait for a free connection included; the worst instance.",
          bad: "More than 0.1 s: the server is busy or its disk slow, or the pool is too small. A gap: it is away.",
          queries: { expr: "max by (job) (notifyx_database_wait_seconds)", legend: "{{job}}" },
          unit: "s",
          limits: { yellow: 0.1 },
          board: "services",
          runbook: "DatabaseAway",
        }),
        graph({
          title: "Event loop, p99",
          answers: "How late 99 of 100 timers come at most in each service's processes.",
          bad: "More than 0.25 s: the process has too much to do, and everything in it waits.",
          queries: { expr: quantile(0.99, "notifyx_event_loop_lag_seconds", ["job"], ALL), legend: "{{job}}" },
          unit: "s",
          limits: { red: 0.25 },
          board: "runtime",
          runbook: "EventLoopLag",
        }),
      ],
    },
  ],
};
