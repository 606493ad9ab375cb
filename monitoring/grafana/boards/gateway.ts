/** What comes in at the gateways, what they ask of the services, and what they refuse. */

import type { Board } from "./board.ts";
import { graph } from "./panels.ts";
import { CHOSEN, ofWork, orNone, quantile, quantiles, rate } from "./query.ts";

const OPERATIONS = "notifyx_graphql_operation_duration_seconds";
const CALLS = "notifyx_upstream_call_duration_seconds";
const GATEWAYS = '{job="gateway",instance=~"$instance"}';

export const gateway: Board = {
  id: "gateway",
  title: "Gateway",
  description: "What comes in at the gateways, what they ask of the services, and what they refuse.",
  jobs: ["gateway"],
  rows: [
    {
      title: "What comes in",
      panels: [
        graph({
          title: "Operations",
          answers: "GraphQL operations by their root field, the six most frequent.",
          bad: "One that nobody expects that often: a client in a loop.",
          queries: {
            expr: `topk(6, ${rate(`${OPERATIONS}_count`, ["type", "field"], GATEWAYS)})`,
            legend: "{{type}} {{field}}",
          },
          unit: "ops",
        }),
        graph({
          title: "Time of an operation",
          answers: "How long queries and mutations take, and the beginning of subscriptions.",
          bad: "A p99 over a second. The next panel says which field, Services which service.",
          queries: quantiles(OPERATIONS, [], GATEWAYS),
          unit: "s",
          limits: { red: 1 },
        }),
        graph({
          title: "Slowest fields, p99",
          answers: "Root fields whose slowest operations take longest.",
          bad: "One field alone: its service, or a document that asks much of it.",
          queries: {
            expr: `topk(5, ${quantile(0.99, OPERATIONS, ["type", "field"], GATEWAYS)} >= 0)`,
            legend: "{{type}} {{field}}",
          },
          unit: "s",
        }),
        graph({
          title: "Errors in answers",
          answers: "Errors in GraphQL answers, by code.",
          bad:
            "INTERNAL, SERVICE_UNAVAILABLE, TIMEOUT, TRANSACTION_ABORTED and TOO_MANY_REQUESTS (there is no more room) are ours. The others are the clients': look at their pace.",
          queries: { expr: rate("notifyx_graphql_errors_total", ["code"], GATEWAYS), legend: "{{code}}" },
          unit: "cps",
          whenEmpty: "no error so far",
          runbook: "OperationsFailing",
        }),
        graph({
          title: "Operations with an error",
          answers: "Operations in whose answer there was an error, by field and code, the five most frequent.",
          bad:
            "A field with a code of ours (INTERNAL, SERVICE_UNAVAILABLE, TIMEOUT, TRANSACTION_ABORTED, TOO_MANY_REQUESTS).",
          queries: {
            expr: `topk(5, ${rate("notifyx_graphql_operation_errors_total", ["field", "code"], GATEWAYS)} > 0)`,
            legend: "{{field}} {{code}}",
          },
          unit: "cps",
          whenEmpty: "no error just now",
          runbook: "OperationsFailing",
        }),
        graph({
          title: "HTTP answers",
          answers: "HTTP requests by their route and status.",
          bad: "5xx. 429 is a limit that was reached, 401 a session that has ended.",
          queries: {
            expr: rate("notifyx_http_request_duration_seconds_count", ["route", "status"], ofWork(GATEWAYS)),
            legend: "{{route}} {{status}}",
          },
          unit: "reqps",
          runbook: "HttpErrors",
        }),
        graph({
          title: "Requests in flight",
          answers: "Requests that have arrived and aren't answered yet.",
          bad: "More and more: what they wait for is below.",
          queries: { expr: `notifyx_http_requests_in_flight${GATEWAYS}`, legend: "{{instance}}" },
          unit: "short",
        }),
        graph({
          title: "Refused by a guard",
          answers:
            "Requests beyond what a guard allows: a document's size or cost, a rate by user, address or sign-in.",
          bad: "`cost` or `untrusted` of our own clients. Rates are somebody's haste, or an attack.",
          queries: { expr: rate("notifyx_guards_refused_total", ["guard"]), legend: "{{guard}}" },
          unit: "cps",
          whenEmpty: "no guard refused anything",
        }),
        graph({
          title: "Refused or ended by a limit",
          answers: "Sockets and messages on them beyond a limit, by its kind.",
          bad: "`sockets`: the gateway is full.",
          queries: { expr: rate("notifyx_delivery_limited_total", ["kind"]), legend: "{{kind}}" },
          unit: "cps",
          whenEmpty: "no limit was reached",
          board: "delivery",
          runbook: "SocketsRefused",
        }),
      ],
    },
    {
      title: "What it asks of the services",
      panels: [
        graph({
          title: "Calls",
          answers: "Calls to each service.",
          bad: "Many more than operations: joins that are asked one by one.",
          queries: { expr: rate(`${CALLS}_count`, ["service"]), legend: "{{service}}" },
          unit: "reqps",
        }),
        graph({
          title: "Time of a call, p99",
          answers: "How long 99 of 100 calls to a service take, answered or not.",
          bad: "One service far above its usual.",
          queries: { expr: quantile(0.99, CALLS, ["service"]), legend: "{{service}}" },
          unit: "s",
          limits: { red: 1 },
        }),
        graph({
          title: "Calls that wait",
          answers: "Calls to each service that wait for their answer.",
          bad: "One service's climb: it hangs, and its breaker opens soon.",
          queries: { expr: `sum by (service) (notifyx_upstream_pending${CHOSEN})`, legend: "{{service}}" },
          unit: "short",
        }),
        graph({
          title: "Calls without an answer",
          answers: "Calls that got no answer in time, no answer, or a 5xx.",
          bad: "Any that last.",
          queries: {
            expr: rate("notifyx_upstream_failures_total", ["service", "code"]),
            legend: "{{service}} {{code}}",
          },
          unit: "cps",
          whenEmpty: "no call failed",
          runbook: "BreakerOpen",
        }),
        graph({
          title: "Breakers",
          answers:
            "The worst breaker of each service, and each instance's that isn't closed: 0 closed, 1 half-open, 2 open.",
          bad: "2: that instance gets no calls until it answers again.",
          queries: [
            { expr: `max by (service) (notifyx_upstream_breaker_state${CHOSEN})`, legend: "{{service}}" },
            {
              expr: `max by (exported_instance) (notifyx_upstream_breaker_state${CHOSEN}) > 0`,
              legend: "{{exported_instance}}",
            },
          ],
          unit: "none",
          max: 2,
          limits: { red: 2 },
          runbook: "BreakerOpen",
        }),
        graph({
          title: "Asked again",
          answers:
            "Calls that were asked again of another instance, those that the budget forbade, and breakers that opened.",
          bad: "`not allowed`: more than a tenth of all calls fail.",
          queries: [
            {
              expr: rate("notifyx_upstream_retries_total", ["service"], '{allowed="true",instance=~"$instance"}'),
              legend: "{{service}} asked again",
            },
            {
              expr: rate("notifyx_upstream_retries_total", ["service"], '{allowed="false",instance=~"$instance"}'),
              legend: "{{service}} not allowed",
            },
            { expr: rate("notifyx_upstream_breaker_opened_total", ["service"]), legend: "{{service}} breaker opened" },
          ],
          unit: "cps",
          whenEmpty: "nothing was asked again",
          runbook: "BreakerOpen",
        }),
      ],
    },
    {
      title: "The graph",
      panels: [
        graph({
          title: "Services in the graph",
          answers: "Services whose types are in the graph, and those whose types can't be composed with the others.",
          bad: "Fewer than usual, or any that is refused: `{ services { conflicts } }` says why.",
          queries: [
            { expr: `notifyx_graph_services${CHOSEN}`, legend: "{{instance}}" },
            { expr: `sum by (service) (notifyx_graph_refused${CHOSEN}) > 0`, legend: "{{service}} is refused" },
          ],
          unit: "none",
          runbook: "GraphRefused",
        }),
        graph({
          title: "Changes of the graph",
          answers: "Times that the graph was replaced by one of other types, and subscriptions that ended by it.",
          bad: "Again and again: two versions of a service take turns.",
          queries: [
            { expr: rate("notifyx_graph_changes_total"), legend: "changes" },
            { expr: rate("notifyx_graph_subscriptions_ended_total"), legend: "subscriptions ended" },
          ],
          unit: "cps",
          runbook: "GraphRefused",
        }),
        graph({
          title: "Rows that are kept",
          answers: "The share of rows of joins that were found in memory.",
          bad: "Near 0 under load: each answer asks auth and topics anew.",
          queries: {
            expr: `(${orNone(rate("notifyx_graph_rows_total", [], '{found="yes",instance=~"$instance"}'))}) / ${
              rate("notifyx_graph_rows_total")
            }`,
            legend: "found",
          },
          unit: "percentunit",
          max: 1,
        }),
      ],
    },
  ],
};
