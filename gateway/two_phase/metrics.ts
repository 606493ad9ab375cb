/** What the coordinator measures. */

import { Counter, Gauge, Histogram } from "prom-client";
import { registry } from "../../kit/metrics.ts";

export const transactions = new Counter({
  name: "notifyx_transactions_total",
  help: "Transactions that this gateway coordinated, by operation and outcome",
  labelNames: ["operation", "outcome"],
  registers: [registry],
});

export const phaseDuration = new Histogram({
  name: "notifyx_transaction_phase_duration_seconds",
  help: "Time of one phase of a transaction: wait, prepare, decide, commit",
  labelNames: ["phase"],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
  registers: [registry],
});

export const running = new Gauge({
  name: "notifyx_transactions_running",
  help: "Transactions that this gateway coordinates at this moment",
  registers: [registry],
});

export const damaged = new Gauge({
  name: "notifyx_transactions_damaged",
  help: "Decided transactions that a participant says it can't commit; someone has to look",
  registers: [registry],
});
