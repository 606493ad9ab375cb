/**
 * PromQL that many panels share. `$__rate_interval` is Grafana's: at least four scrapes. `$job` and `$instance` are a board's variables;
 * where a metric has an `instance` of its own, it is `exported_instance` here.
 */

/** One line of a panel, or several: `{{label}}` in the legend is that label's value. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** What the board's variables choose. */
export const CHOSEN = '{instance=~"$instance"}';
export const CHOSEN_OF_JOB = '{job=~"$job",instance=~"$instance"}';
/** Without what looks after a process: that is none of its work. */
const WORK = 'route!~"/health/.*|/metrics|/dashboard.*"';

/** A selector of HTTP requests that are a process's work. */
export function ofWork(selector: string): string {
  return selector === "" ? `{${WORK}}` : selector.replace("{", `{${WORK},`);
}

/** A counter's growth in a second, summed but for the labels `by`. */
export function rate(counter: string, by: readonly string[] = [], selector = CHOSEN): string {
  return `sum${grouping(by)} (rate(${counter}${selector}[$__rate_interval]))`;
}

/** The time within which the share `quantile` of what a histogram has seen was done, in its unit. */
export function quantile(quantile: number, histogram: string, by: readonly string[] = [], selector = CHOSEN): string {
  return `histogram_quantile(${quantile}, ${rate(`${histogram}_bucket`, ["le", ...by], selector)})`;
}

/** The usual, the slow and the slowest of a histogram. */
export function quantiles(histogram: string, by: readonly string[] = [], selector = CHOSEN): Query[] {
  const labels = by.map((label) => `{{${label}}} `).join("");
  return [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, histogram, by, selector),
    legend: `${labels}p${share * 100}`,
  }));
}

/** Nothing is 0: for a single figure of what has not happened yet. */
export function orNone(expr: string): string {
  return `${expr} or vector(0)`;
}

function grouping(by: readonly string[]): string {
  return by.length === 0 ? "" : ` by (${by.join(", ")})`;
}
