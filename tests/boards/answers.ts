/** What Prometheus answers to the queries of a panel. */

import { filledIn, type PanelJson } from "./grafana.ts";

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** As the legend has it. */
  readonly name: string;
  /** Seconds since 1970, and what it was then; times without a value are left out. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Range {
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly stepSeconds: number;
  /** What `$__rate_interval` is. */
  readonly rateInterval: string;
}

const LIMIT_MS = 10_000;

/** The series of all queries of a panel; those with no number in them are left out, as Grafana has nothing to draw of them. */
export async function answers(prometheus: string, panel: PanelJson, range: Range): Promise<Series[]> {
  const all = await Promise.all(panel.targets!.map(async ({ expr, legendFormat, instant }) => {
    const query = filledIn(expr, range.rateInterval);
    const result = instant
      ? await ask(prometheus, "query", { query, time: `${range.end}` })
      : await ask(prometheus, "query_range", {
        query,
        start: `${range.start}`,
        end: `${range.end}`,
        step: `${range.stepSeconds}`,
      });
    return result.map(({ metric, value, values = [value!] }): Series => ({
      labels: metric,
      name: named(legendFormat, metric),
      points: values.map(([time, number]) => [time, Number(number)] as const).filter(([, value]) =>
        Number.isFinite(value)
      ),
    }));
  }));
  return all.flat().filter(({ points }) => points.length > 0);
}

interface Sample {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  readonly values?: [number, string][];
}

/** @throws Error what Prometheus says is wrong with the query */
async function ask(prometheus: string, path: string, parameters: Record<string, string>): Promise<Sample[]> {
  const response = await fetch(`${prometheus}/api/v1/${path}`, {
    method: "POST",
    body: new URLSearchParams(parameters),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const { status, data, error } = await response.json();
  if (status !== "success") throw new Error(`${error}: ${parameters.query}`);
  return data.result;
}

function named(legend: string, labels: Record<string, string>): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? "");
}
