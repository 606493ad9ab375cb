/** The figures of every process: what it is asked, how it answers, and what that takes. A service's own stand behind these. */

// Which makes what is shown here.
import "../process_metrics.ts";
import { isUpkeep } from "../upkeep_routes.ts";
import { type Figure, gauge, type MetricValue, quantile, rate } from "./figures.ts";
import { inWords } from "./format.js";

const HTTP = "notifyx_http_request_duration_seconds";
const asked = { metric: HTTP, where: ({ route }: MetricValue["labels"]) => !isUpkeep(route) } as const;

/** Codes that are no fault of who asks. */
const OUR_CODES = new Set(["INTERNAL", "SERVICE_UNAVAILABLE", "TIMEOUT", "TRANSACTION_ABORTED"]);

/** From here on something is wrong: failures a second, and seconds. */
const MOST_FAILURES = 1;
const MOST_LAG = 0.25;
const MOST_DATABASE_WAIT = 1;

export const PROCESS_FIGURES: readonly Figure[] = [
  { key: "requests", label: "Requests", unit: "perSecond", of: rate(asked) },
  {
    key: "failures",
    label: "Failures of ours",
    unit: "perSecond",
    of: rate(
      { metric: HTTP, where: ({ route, status }) => !isUpkeep(route) && String(status).startsWith("5") },
      { metric: "notifyx_graphql_errors_total", where: ({ code }) => OUR_CODES.has(String(code)) },
    ),
    wrong: (value) => value < MOST_FAILURES ? undefined : `${inWords(value, "perSecond")} of its answers fail`,
  },
  { key: "p95", label: "95\u00a0% answered within", unit: "seconds", of: quantile(0.95, asked) },
  {
    key: "lag",
    label: "Event loop late by (99\u00a0%)",
    unit: "seconds",
    of: quantile(0.99, { metric: "notifyx_event_loop_lag_seconds" }),
    wrong: (value) => value < MOST_LAG ? undefined : `its event loop is late by ${inWords(value, "seconds")}`,
  },
  { key: "cpu", label: "Processor", unit: "share", of: rate({ metric: "notifyx_process_cpu_seconds_total" }) },
  { key: "memory", label: "Memory", unit: "bytes", of: gauge({ metric: "notifyx_process_resident_memory_bytes" }) },
  {
    key: "database",
    label: "Database answers within",
    unit: "seconds",
    of: gauge({ metric: "notifyx_database_wait_seconds" }, "most"),
    wrong: (value) =>
      value < MOST_DATABASE_WAIT
        ? undefined
        : `its database takes ${inWords(value, "seconds")} for a trivial statement`,
  },
  {
    key: "database_errors",
    label: "Errors of the database",
    unit: "perSecond",
    of: rate({ metric: "notifyx_database_errors_total" }),
    wrong: (value) => value === 0 ? undefined : `its database fails ${inWords(value, "perSecond")}`,
  },
];
