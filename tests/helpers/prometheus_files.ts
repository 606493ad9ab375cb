/**
 * The files of monitoring/prometheus as a test has them run: with discovery and the secret where they are, and by a faster clock.
 *
 * One factor divides every time by the clock that stands in them: intervals and their timeouts, `for`, windows (`[2m]`), and the ages
 * that grow with the clock while something is stuck (`…_age_seconds > 60`, `…_oldest_seconds`, `…_feed_lag_seconds`). What is measured of
 * a single thing, as how long a send took, stays as it is.
 */

import { parse, stringify } from "yaml";

export const FOLDER = new URL("../../monitoring/prometheus/", import.meta.url);
/** What the files are written for: docker-compose.yml. */
const WRITTEN_FOR = { discovery: "http://discovery:4100", itself: "localhost:9090" };

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  expr: string;
  for?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
}

export interface PrometheusPlace {
  readonly discoveryUrl: string;
  /** A file that holds the cluster's secret. */
  readonly secretFile: string;
  /** On which Prometheus itself listens. */
  readonly port: number;
  /** Where its rules are, as a pattern; undefined is no rules. */
  readonly rules?: string;
  /** By how much the clock is faster. */
  readonly faster: number;
}

/** prometheus.yml for that place. */
export function configFor({ discoveryUrl, secretFile, port, rules, faster }: PrometheusPlace): string {
  const config = parse(Deno.readTextFileSync(new URL("prometheus.yml", FOLDER)));
  for (const name of ["scrape_interval", "scrape_timeout", "evaluation_interval"]) {
    config.global[name] = shorter(config.global[name], faster);
  }
  config.rule_files = rules === undefined ? [] : [rules];
  for (const scrape of config.scrape_configs) {
    for (const sd of scrape.http_sd_configs ?? []) {
      sd.url = sd.url.replace(WRITTEN_FOR.discovery, discoveryUrl);
      sd.refresh_interval = shorter(sd.refresh_interval, faster);
    }
    if (scrape.authorization !== undefined) scrape.authorization.credentials_file = secretFile;
    for (const group of scrape.static_configs ?? []) {
      group.targets = group.targets.map((target: string) =>
        target === WRITTEN_FOR.itself ? `127.0.0.1:${port}` : target
      );
    }
  }
  return stringify(config);
}

/** The names of the files of rules. */
export function ruleFiles(): string[] {
  return namesIn("rules/");
}

export function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, FOLDER))].map(({ name }) => name).filter((name) => name.endsWith(".yml"));
}

export function rulesOf(file: string): Rule[] {
  const { groups } = parse(Deno.readTextFileSync(new URL(`rules/${file}`, FOLDER))) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** A file of rules by a clock that is so much faster. */
export function fasterRules(file: string, faster: number): string {
  const document = parse(Deno.readTextFileSync(new URL(`rules/${file}`, FOLDER)));
  for (const { rules } of document.groups as { rules: Rule[] }[]) {
    for (const rule of rules) {
      if (rule.for !== undefined) rule.for = shorter(rule.for, faster);
      rule.expr = fasterExpression(rule.expr, faster);
    }
  }
  return stringify(document, { lineWidth: 0 });
}

export function fasterExpression(expression: string, faster: number): string {
  return expression
    .replaceAll(/\[(\w+)\]/g, (_, window) => `[${shorter(window, faster)}]`)
    .replaceAll(/\boffset (\w+)/g, (_, by) => `offset ${shorter(by, faster)}`)
    .replaceAll(
      /((?:_age|_oldest|_feed_lag)_seconds(?![\w:])[^<>\n]*[<>]=? )(\d+)/g,
      (_, before, age) => `${before}${Number(age) / faster}`,
    );
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Of a duration as Prometheus writes it, such as `1m30s`, in milliseconds. */
export function milliseconds(duration: string): number {
  return [...duration.matchAll(/(\d+)(ms|[smhd])/g)].reduce((sum, [, count, unit]) => sum + +count! * UNITS[unit!]!, 0);
}

function shorter(duration: string, faster: number): string {
  return `${Math.round(milliseconds(duration) / faster)}ms`;
}
