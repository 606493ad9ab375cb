/** What the balancer measures. What is counted at each call is counted in its endpoints, and read when somebody asks (balancer.ts). */

import type { Gauge } from "prom-client";
import { counter, gauge, histogram } from "../../kit/metrics.ts";
import { fewServices } from "../../kit/metrics/few.ts";
import { type Series, seriesOf } from "../../kit/metrics/held_series.ts";
import type { Endpoint } from "./endpoint.ts";

const durations = histogram("notifyx_upstream_call_duration_seconds");
const failures = counter("notifyx_upstream_failures_total");
const retries = counter("notifyx_upstream_retries_total");
const opened = counter("notifyx_upstream_breaker_opened_total");

const durationsOf = new Map<string, Series>();

/** Of the calls to a service. */
export function durationOf(service: string): Series {
  const name = fewServices.of(service);
  let found = durationsOf.get(name);
  if (found === undefined) durationsOf.set(name, found = seriesOf(durations, { service: name }));
  return found;
}

export function countFailure(service: string, code: string): void {
  failures.inc({ service: fewServices.of(service), code });
}

export function countRetry(service: string, allowed: boolean): void {
  retries.inc({ service: fewServices.of(service), allowed: String(allowed) });
}

export function countOpened(service: string): void {
  opened.inc({ service: fewServices.of(service) });
}

/** Has the gauges of each instance show what `endpoints` gives when they are asked for. */
export function showEndpoints(endpoints: () => Iterable<Endpoint>): void {
  const ofEach = (valueOf: (endpoint: Endpoint) => number) => (shown: Gauge<"service" | "instance">) => {
    shown.reset();
    for (const one of endpoints()) {
      shown.set({ service: one.instance.service, instance: one.instance.id }, valueOf(one));
    }
  };
  gauge("notifyx_upstream_breaker_state", ofEach(({ breaker }) => ["CLOSED", "HALF_OPEN", "OPEN"].indexOf(breaker)));
  gauge("notifyx_upstream_pending", ofEach(({ pending }) => pending));
}
