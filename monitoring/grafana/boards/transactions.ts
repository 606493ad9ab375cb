/** Two-phase commit: does each send end, how fast, and does everyone agree how? */

import type { Board } from "./board.ts";
import { graph } from "./panels.ts";
import { CHOSEN, orNone, quantile, rate } from "./query.ts";

const TOTAL = "notifyx_transactions_total";
const ABORTED = '{outcome="aborted",instance=~"$instance"}';
const PHASES = "notifyx_transaction_phase_duration_seconds";

export const transactions: Board = {
  id: "transactions",
  title: "Transactions",
  description: "Two-phase commit: does each send end, how fast, and does everyone agree how?",
  jobs: ["gateway", "notifications", "counter"],
  rows: [
    {
      title: "Do they happen?",
      panels: [
        graph({
          title: "Outcomes",
          answers: "Transactions that were decided, by operation and outcome.",
          bad: "Aborted ones beside the usual few: a participant is away or votes no.",
          queries: {
            expr: rate(TOTAL, ["operation", "outcome"]),
            legend: "{{operation}} {{outcome}}",
          },
          unit: "cps",
          whenEmpty: "nothing was sent",
          runbook: "SendsAborted",
        }),
        graph({
          title: "Aborted",
          answers: "The share of transactions that were aborted.",
          bad: "More than a few in a hundred. All: a required participant is away, see Services.",
          queries: {
            expr: `(${orNone(rate(TOTAL, [], ABORTED))}) / ${rate(TOTAL)}`,
            legend: "aborted",
          },
          unit: "percentunit",
          limits: { yellow: 0.02, red: 0.05 },
          whenEmpty: "nothing was sent",
          runbook: "SendsAborted",
        }),
        graph({
          title: "Votes",
          answers: "What participants answered to prepare.",
          bad: "No of one service alone: ask it why; its log has the reason.",
          queries: { expr: rate("notifyx_participant_votes_total", ["job", "vote"]), legend: "{{job}} {{vote}}" },
          unit: "cps",
          whenEmpty: "nothing was sent",
          runbook: "SendsAborted",
        }),
      ],
    },
    {
      title: "Are they late?",
      panels: [
        graph({
          title: "Phases, p50",
          answers: "How long each phase takes for the half: waiting for a place, prepare, decide, commit.",
          bad: "One that climbs: prepare and commit are the participants' databases, decide is the gateway's.",
          queries: { expr: quantile(0.5, PHASES, ["phase"]), legend: "{{phase}}" },
          unit: "s",
          whenEmpty: "nothing was sent",
          runbook: "SendsSlow",
        }),
        graph({
          title: "Phases, p99",
          answers: "How long each phase takes for 99 of 100.",
          bad: "A second of prepare: nearly too late for a vote. Seconds of wait: there are too few places.",
          queries: { expr: quantile(0.99, PHASES, ["phase"]), legend: "{{phase}}" },
          unit: "s",
          limits: { red: 1 },
          whenEmpty: "nothing was sent",
          runbook: "SendsSlow",
        }),
        graph({
          title: "Places",
          answers: "Transactions under way, those that wait for a place, and the places.",
          bad: "All places taken, and some that wait: what comes is refused after a second (TOO_MANY_REQUESTS).",
          queries: [
            { expr: `sum(notifyx_transactions_running${CHOSEN})`, legend: "running" },
            { expr: `sum(notifyx_transactions_waiting${CHOSEN})`, legend: "waiting" },
            { expr: `sum(notifyx_transactions_places${CHOSEN})`, legend: "places" },
          ],
          unit: "short",
          runbook: "SendsSlow",
        }),
        graph({
          title: "Refused",
          answers: "Transactions that got no place: too many waited, or they waited too long.",
          bad:
            "Any that last: more is sent than the databases take. Nothing is half done; who sends is told to try again.",
          queries: { expr: rate("notifyx_transactions_refused_total", ["instance"]), legend: "{{instance}}" },
          unit: "cps",
          runbook: "SendsSlow",
        }),
      ],
    },
    {
      title: "Does everyone agree?",
      panels: [
        graph({
          title: "Decided, not confirmed",
          answers: "Transactions that are decided and not confirmed by all, and the age of the oldest.",
          bad: "A minute: a participant does not answer its commit. Nothing is lost: it is asked until it does.",
          queries: [
            { expr: "max(notifyx_transactions_unfinished_oldest_age_seconds)", legend: "age of the oldest, in s" },
            { expr: "max(notifyx_transactions_unfinished)", legend: "unfinished" },
          ],
          unit: "short",
          limits: { red: 60 },
          runbook: "TransactionsUnfinished",
        }),
        graph({
          title: "In doubt for",
          answers: "Age of each participant's oldest prepared transaction that is past its deadline.",
          bad: "More than 15 s while all is up. It holds rows and keeps vacuum away.",
          queries: {
            expr: `max by (job) (notifyx_participant_in_doubt_oldest_age_seconds${CHOSEN})`,
            legend: "{{job}}",
          },
          unit: "s",
          limits: { yellow: 15, red: 30 },
          runbook: "TransactionsInDoubt",
        }),
        graph({
          title: "In doubt",
          answers: "Prepared transactions that are past their deadline, by participant.",
          bad: "Any that stay. The gateway's status page lists them.",
          queries: { expr: `max by (job) (notifyx_participant_in_doubt${CHOSEN})`, legend: "{{job}}" },
          unit: "none",
          runbook: "TransactionsInDoubt",
        }),
        graph({
          title: "Damaged",
          answers: "Decided transactions that a participant says it can't commit.",
          bad: "Any: somebody has to look. The runbook says how.",
          queries: { expr: "max(notifyx_transactions_damaged)", legend: "damaged" },
          unit: "none",
          limits: { red: 1 },
          runbook: "TransactionDamaged",
        }),
        graph({
          title: "Prepared in the database",
          answers: "Prepared transactions of the PostgreSQL server, and how many it takes.",
          bad: "Close to the limit: participants can't prepare, and sends are aborted.",
          queries: [
            { expr: "max(notifyx_database_prepared_transactions)", legend: "prepared" },
            { expr: "max(notifyx_database_prepared_transactions_limit)", legend: "limit" },
          ],
          unit: "none",
          runbook: "PreparedTransactionsNearLimit",
        }),
      ],
    },
  ],
};
