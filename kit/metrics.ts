/**
 * Makes metrics by the names that they have in the catalogue (metrics/catalogue.ts), on this process's one registry: what isn't there
 * can't be made, and a label that it doesn't have can't be given. Those of requests, which several count, are made here.
 */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type MetricName, METRICS } from "./metrics/catalogue.ts";
import type { Definition } from "./metrics/definition.ts";

export const registry: Registry = new Registry();

type NameOf<Type extends Definition["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];
type Labels<Name extends MetricName> = (typeof METRICS)[Name]["labels"][number];

/** @param total says, when somebody looks, how many there have been so far, where they are counted already */
export function counter<Name extends NameOf<"counter">>(name: Name, total?: () => number): Counter<Labels<Name>> {
  if (total === undefined) return new Counter(configuration(name));
  return counterOf(name, () => [[{} as Record<Labels<Name>, string>, total()]]);
}

/** The same of a counter with labels: how many there have been so far by each of them. */
export function counterOf<Name extends NameOf<"counter">>(
  name: Name,
  totals: () => Iterable<readonly [Record<Labels<Name>, string>, number]>,
): Counter<Labels<Name>> {
  const told = new Map<string, number>();
  return new Counter({
    ...configuration(name),
    collect() {
      for (const [labels, now] of totals()) {
        const series = Object.values(labels).join();
        this.inc(labels, now - (told.get(series) ?? 0));
        told.set(series, now);
      }
    },
  });
}

/** Has a series for each of these values of its label from the start: who asks for an increase sees the first of each as one. */
export function startAtZero<Label extends string>(made: Counter<Label>, label: Label, values: readonly string[]): void {
  for (const value of values) made.labels({ [label]: value } as Record<Label, string>).inc(0);
}

/**
 * @param read gives the value when somebody looks, or sets it itself, by its labels. What it throws fails the whole answer: it has to
 * end soon, also where what it asks is away
 */
export function gauge<Name extends NameOf<"gauge">>(
  name: Name,
  read?: (gauge: Gauge<Labels<Name>>) => number | void | Promise<number | void>,
): Gauge<Labels<Name>> {
  if (read === undefined) return new Gauge(configuration(name));
  return new Gauge({
    ...configuration(name),
    async collect() {
      const value = await read(this);
      if (typeof value === "number") this.set(value);
    },
  });
}

export function histogram<Name extends NameOf<"histogram">>(name: Name): Histogram<Labels<Name>> {
  return new Histogram({ ...configuration(name), buckets: [...METRICS[name].buckets] });
}

function configuration<Name extends MetricName>(name: Name) {
  const { help, labels } = METRICS[name];
  return { name, help, labelNames: [...labels] as Labels<Name>[], registers: [registry] };
}

export const httpDuration = histogram("notifyx_http_request_duration_seconds");
export const httpInFlight = gauge("notifyx_http_requests_in_flight");
