/** Every metric that all processes have; a service's own are defined beside these in its metrics.ts. */

import { Counter, Gauge, Histogram, Registry } from "prom-client";

export const registry: Registry = new Registry();

export const httpDuration = new Histogram({
  name: "notifyx_http_request_duration_seconds",
  help: "Time from a request's arrival to its answer, by route",
  labelNames: ["method", "route", "status"],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10],
  registers: [registry],
});

export const httpInFlight = new Gauge({
  name: "notifyx_http_requests_in_flight",
  help: "Requests that have arrived and aren't answered yet",
  registers: [registry],
});

export const graphqlErrors = new Counter({
  name: "notifyx_graphql_errors_total",
  help: "Errors in GraphQL answers, by code",
  labelNames: ["code"],
  registers: [registry],
});

new Gauge({
  name: "notifyx_process_resident_memory_bytes",
  help: "Resident memory of this process",
  registers: [registry],
  collect() {
    this.set(Deno.memoryUsage().rss);
  },
});

const startedAt = Date.now();
new Gauge({
  name: "notifyx_process_uptime_seconds",
  help: "Time since this process started",
  registers: [registry],
  collect() {
    this.set((Date.now() - startedAt) / 1000);
  },
});
