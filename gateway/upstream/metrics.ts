/** What the balancer measures. What is counted at each call is counted in its endpoints, and read when somebody asks (balancer.ts). */

import { Counter, Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";
import type { Endpoint } from "./endpoint.ts";

const failures = new Counter({
  name: "notifyx_upstream_failures_total",
  help: "Calls to a service that got no answer in time, no answer, or a 5xx, by the code that they ended with",
  labelNames: ["service", "code"],
  registers: [registry],
});
const retries = new Counter({
  name: "notifyx_upstream_retries_total",
  help: "Calls that were asked again of another instance, and those that the budget (a tenth of all calls) forbade",
  labelNames: ["service", "allowed"],
  registers: [registry],
});
const opened = new Counter({
  name: "notifyx_upstream_breaker_opened_total",
  help: "How often an instance's breaker opened",
  labelNames: ["service"],
  registers: [registry],
});

export function countFailure(service: string, code: string): void {
  failures.inc({ service, code });
}

export function countRetry(service: string, allowed: boolean): void {
  retries.inc({ service, allowed: String(allowed) });
}

export function countOpened(service: string): void {
  opened.inc({ service });
}

/** Has the gauges of each instance show what `endpoints` gives when they are asked for. */
export function showEndpoints(endpoints: () => Iterable<Endpoint>): void {
  const gauge = (name: string, help: string, valueOf: (endpoint: Endpoint) => number) => {
    new Gauge({
      name,
      help,
      labelNames: ["service", "instance"],
      registers: [registry],
      collect() {
        this.reset();
        for (const one of endpoints()) {
          this.set({ service: one.instance.service, instance: one.instance.id }, valueOf(one));
        }
      },
    });
  };
  gauge(
    "notifyx_upstream_breaker_state",
    "0 closed, 1 half-open: the next call is let through, 2 open",
    ({ breaker }) => ["CLOSED", "HALF_OPEN", "OPEN"].indexOf(breaker),
  );
  gauge("notifyx_upstream_pending", "Calls to an instance that wait for their answer", ({ pending }) => pending);
}
