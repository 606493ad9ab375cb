/**
 * A figure of the status page, and how it comes from the metrics: what a counter rose by, what a gauge shows, what a histogram took in. In:
 * the values of metrics by their name, each five seconds. A metric that this process doesn't have gives no figure.
 */

import type { MetricName } from "../metrics/catalogue.ts";
import { MINUTE, SECOND } from "../time.ts";
import type { Unit } from "./format.js";
import { STEP_SECONDS } from "./history.ts";

export type { Unit };

export interface Figure {
  /** Names it among those of its process. */
  readonly key: string;
  /** For people; the unit goes with the value. */
  readonly label: string;
  readonly unit: Unit;
  readonly of: Source;
  /** Says in words what is wrong at this value; undefined where nothing is. */
  readonly wrong?: (value: number) => string | undefined;
}

/** One value of a metric, as npm `prom-client` gives it. */
export interface MetricValue {
  /** Of a histogram: its name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
}

/** All values of a metric; undefined where there is none of this name. */
export type Read = (metric: MetricName) => readonly MetricValue[] | undefined;

export interface Source {
  /** The metrics that have to be read for it. */
  readonly metrics: readonly MetricName[];
  /** Begins to follow them. The answer is called at each step, with the seconds since the one before; null: nothing is known. */
  follow(): (read: Read, seconds: number) => number | null;
}

/** Values of a metric: all, or those whose labels `where` lets through. */
export interface Selected {
  readonly metric: MetricName;
  readonly where?: (labels: MetricValue["labels"]) => boolean;
}

/** What counters rose by in a second, or histograms were told in one, all together. */
export function rate(...parts: readonly Selected[]): Source {
  return {
    metrics: parts.map(({ metric }) => metric),
    follow() {
      let before: number | null = null;
      return (read, seconds) => {
        const now = sum(parts.map((part) => counted(read, part)));
        const rose = now === null || before === null ? null : now >= before ? now - before : now;
        before = now;
        return rose === null || seconds <= 0 ? null : rose / seconds;
      };
    },
  };
}

/** What a gauge shows: over its labels the sum, or the highest. */
export function gauge(part: Selected, over: "sum" | "most" = "sum"): Source {
  return {
    metrics: [part.metric],
    follow: () => (read) => {
      const values = selected(read, part)?.map(({ value }) => value);
      if (values === undefined || values.length === 0) return null;
      return over === "sum" ? sum(values) : Math.max(...values);
    },
  };
}

/** For how long a histogram's values count: of five seconds alone there would often be none. */
const WINDOW_STEPS = MINUTE / SECOND / STEP_SECONDS;

/** What the share `q` of a histogram's values of the last minute stays below, reckoned within its buckets as Prometheus does. */
export function quantile(q: number, part: Selected): Source {
  return {
    metrics: [part.metric],
    follow() {
      const window: Map<number, number>[] = [];
      return (read) => {
        const values = selected(read, part);
        if (values === undefined) return null;
        const now = buckets(values);
        const before = window[0];
        window.push(now);
        if (window.length > WINDOW_STEPS) window.shift();
        return before === undefined ? null : quantileOf(q, rises(before, now));
      };
    },
  };
}

function selected(read: Read, { metric, where }: Selected): readonly MetricValue[] | undefined {
  const values = read(metric);
  return where === undefined ? values : values?.filter(({ labels }) => where(labels));
}

/** A counter's sum, or how many values a histogram was told. */
function counted(read: Read, part: Selected): number | null {
  const values = selected(read, part);
  if (values === undefined) return null;
  return sum(
    values.filter(({ metricName }) =>
      metricName === undefined || metricName === part.metric || metricName.endsWith("_count")
    )
      .map(({ value }) => value),
  ) ?? 0;
}

/** Null where nothing is known of any. */
function sum(values: readonly (number | null)[]): number | null {
  return values.reduce((all, value) => value === null ? all : (all ?? 0) + value, null);
}

/** How many values were at most so high, by that bound, over all labels. */
function buckets(values: readonly MetricValue[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { metricName, labels, value } of values) {
    if (!metricName?.endsWith("_bucket")) continue;
    const bound = labels.le === "+Inf" ? Infinity : Number(labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return counts;
}

/** By their bound, the lowest first, and how many came since `before`. */
function rises(
  before: ReadonlyMap<number, number>,
  now: ReadonlyMap<number, number>,
): [bound: number, count: number][] {
  return [...now].map(([bound, count]): [number, number] => [bound, count - (before.get(bound) ?? 0)])
    .sort(([a], [b]) => a - b);
}

function quantileOf(q: number, counts: readonly [bound: number, count: number][]): number | null {
  const all = counts.at(-1)?.[1] ?? 0;
  if (all <= 0) return null;
  const rank = q * all;
  let [lower, below] = [0, 0];
  for (const [bound, count] of counts) {
    if (count >= rank && count > below) {
      // Of what is over the highest bound nobody knows how far.
      return bound === Infinity ? lower : lower + (bound - lower) * ((rank - below) / (count - below));
    }
    [lower, below] = [bound, count];
  }
  return lower;
}
