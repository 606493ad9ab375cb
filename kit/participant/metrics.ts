/** What a participant measures. */

import { Counter, Gauge } from "prom-client";
import { registry } from "../metrics.ts";

export const votes = new Counter({
  name: "notifyx_participant_votes_total",
  help: "Answers to prepare, by vote",
  labelNames: ["operation", "vote"],
  registers: [registry],
});

export const inDoubt = new Gauge({
  name: "notifyx_participant_in_doubt",
  help: "Prepared transactions that are past their deadline",
  registers: [registry],
});

export const inDoubtOldestAge = new Gauge({
  name: "notifyx_participant_in_doubt_oldest_age_seconds",
  help: "Age of the oldest prepared transaction that is past its deadline",
  registers: [registry],
});
