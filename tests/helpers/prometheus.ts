/**
 * A Prometheus for one test, where there is one on this machine (Debian's package `prometheus`): with the configuration and the rules of
 * monitoring/prometheus, on a port of its own, and in a folder that goes away with it.
 */

import { join } from "node:path";
import { delay, SECOND } from "../../kit/time.ts";
import { configFor, fasterRules, ruleFiles } from "./prometheus_files.ts";
import { until } from "./system.ts";

const READY_LIMIT_MS = 20 * SECOND;
const STOP_LIMIT_MS = 5 * SECOND;
const ASK_LIMIT_MS = 5 * SECOND;

/** Undefined where there is none: the tests that need it are skipped then. */
export const PROMETHEUS = program("prometheus");
export const PROMTOOL = program("promtool");

/** Why tests are skipped, said once by each file that has some. */
export function sayIfNoPrometheus(what: string): void {
  if (PROMETHEUS === undefined || PROMTOOL === undefined) {
    console.log(`${what}: skipped, since there is no Prometheus (Debian's package prometheus)`);
  }
}

function program(name: string): string | undefined {
  try {
    return new Deno.Command(name, { args: ["--version"], stdin: "null" }).outputSync().success ? name : undefined;
  } catch {
    return undefined;
  }
}

export interface PrometheusOptions {
  readonly discoveryUrl: string;
  readonly secret: string;
  /** By how much its clock is faster than that of the files; default 1. */
  readonly faster?: number;
  /** Whether it has the rules; default true. */
  readonly rules?: boolean;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Exemplar extends Sample {
  readonly traceId: string;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

export class Prometheus implements AsyncDisposable {
  private constructor(
    readonly url: string,
    private readonly folder: string,
    private readonly child: Deno.ChildProcess,
    private readonly said: Promise<string>,
  ) {}

  static async start({ discoveryUrl, secret, faster = 1, rules = true }: PrometheusOptions): Promise<Prometheus> {
    const folder = Deno.makeTempDirSync({ prefix: "notifyx-prometheus-" });
    const [config, secretFile] = [join(folder, "prometheus.yml"), join(folder, "secret")];
    const port = freePort();
    Deno.writeTextFileSync(secretFile, secret, { mode: 0o600 });
    Deno.mkdirSync(join(folder, "rules"));
    for (const file of rules ? ruleFiles() : []) {
      Deno.writeTextFileSync(join(folder, "rules", file), fasterRules(file, faster));
    }
    Deno.writeTextFileSync(config, configFor({ discoveryUrl, secretFile, port, rules: "rules/*.yml", faster }));
    // Prometheus doesn't end when we are killed; the shell sees that its stdin ends, and ends it.
    const child = new Deno.Command("/bin/sh", {
      args: [
        "-c",
        '"$@" < /dev/null & read -r _; kill $!; wait $!',
        "sh",
        PROMETHEUS!,
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
      ],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const said = new Response(child.stderr).text();
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, folder, child, said);
    try {
      await until("Prometheus is ready", () => prometheus.#isReady(), READY_LIMIT_MS);
    } catch (error) {
      await prometheus[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}; it said: ${await said}`);
    }
    return prometheus;
  }

  /** The instant vector of an expression; a scalar as one sample without labels. @throws Error what is wrong with it */
  async query(expression: string): Promise<Sample[]> {
    const data = await this.#ask(`/api/v1/query?${new URLSearchParams({ query: expression })}`);
    if (data.resultType === "scalar") return [{ metric: {}, value: Number(data.result[1]) }];
    return data.result.map((one: { metric: Record<string, string>; value: [number, string] }) => ({
      metric: one.metric,
      value: Number(one.value[1]),
    }));
  }

  /** The traces that the series of a selector lead to, within the last minute. */
  async exemplars(selector: string): Promise<Exemplar[]> {
    const now = Date.now() / SECOND;
    const query = new URLSearchParams({ query: selector, start: `${now - 60}`, end: `${now + 60}` });
    const series = await this.#ask(`/api/v1/query_exemplars?${query}`) as {
      seriesLabels: Record<string, string>;
      exemplars: { labels: { trace_id: string }; value: string }[];
    }[];
    return series.flatMap(({ seriesLabels, exemplars }) =>
      exemplars.map(({ labels, value }) => ({ metric: seriesLabels, traceId: labels.trace_id, value: Number(value) }))
    );
  }

  /** Those that are pending or firing. */
  async alerts(): Promise<Alert[]> {
    return (await this.#ask("/api/v1/alerts")).alerts;
  }

  /** Waits until each of `jobs` has a process that it has scraped, and as many as `counts` says. */
  async sees(counts: Readonly<Record<string, number>>, limitMs = READY_LIMIT_MS): Promise<void> {
    await until(`Prometheus sees ${JSON.stringify(counts)}`, async () => {
      const up = await this.query("count by (job) (up == 1)");
      const seen = new Map(up.map(({ metric, value }) => [metric.job, value]));
      return Object.entries(counts).every(([job, count]) => (seen.get(job) ?? 0) >= count);
    }, limitMs);
  }

  // deno-lint-ignore no-explicit-any -- Prometheus's own shapes
  async #ask(path: string): Promise<any> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(ASK_LIMIT_MS) });
    const { status, data, error } = await response.json();
    if (status !== "success") throw new Error(`${path}: ${error}`);
    return data;
  }

  async #isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/-/ready`, { signal: AbortSignal.timeout(SECOND) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child.stdin.close();
    const stopped = await Promise.race([this.child.status, delay(STOP_LIMIT_MS)]);
    if (stopped === undefined) throw new Error(`Prometheus didn't stop within ${STOP_LIMIT_MS} ms`);
    await this.said;
    await Deno.remove(this.folder, { recursive: true });
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
