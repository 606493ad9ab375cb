/**
 * The whole system for one test: its own PostgreSQL, real processes with their real permissions under the real supervisor, on ports
 * that are free. `await using system = await startSystem()` stops all of it.
 */

import { Cluster, type ClusterNode } from "../../cluster/cluster.ts";
import { mailPlace } from "../../cluster/settings.ts";
import { Output } from "../../cluster/output.ts";
import { NODE_KINDS, portOf } from "../../cluster/nodes.ts";
import { type Postgres, startPrivatePostgres } from "../../cluster/postgres/mod.ts";
import { readPostmaster } from "../../cluster/postgres/postmaster_pid.ts";
import { Timings } from "../../cluster/timings.ts";
import { connect, databaseUrl, type Sql } from "../../kit/database.ts";
import { PORT_OFFSETS, type ServiceName } from "../../kit/ports.ts";
import { delay } from "../../kit/time.ts";
import { INBOX_PORT_OFFSET } from "../../services/mail/settings.ts";
import { fileURLToPath } from "node:url";

export interface SystemOptions {
  /** How many nodes of each kind; one by default, but none of {@link LEFT_OUT}. */
  readonly counts?: Partial<Record<ServiceName, number>>;
  /** Settings of every process. */
  readonly env?: Record<string, string>;
  /** Whether commits are flushed to the disk, for a test that kills PostgreSQL or a bench. */
  readonly durable?: boolean;
  /** Settings of PostgreSQL besides its own. */
  readonly postgres?: Record<string, string>;
  /** Sees each line that a process says, with its name in front. */
  readonly onLine?: (name: string, line: string) => void;
  /** The folder of the code that runs; this checkout by default. */
  readonly checkout?: string;
}

export const SECRET = "a-secret-of-the-tests-that-is-long-enough";
/** Kinds with which most tests have nothing to do. */
const LEFT_OUT: readonly string[] = ["avatar", "mail", "client"];
/** Between two bases: more than lies between the first port of all kinds, the client's, and the last. */
const PORT_SPAN = 2_000;
const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

export class System implements AsyncDisposable {
  readonly #databases = new Map<ServiceName, Sql>();
  #killedPostmaster: number | undefined;

  constructor(
    readonly cluster: Cluster,
    readonly postgres: Postgres & AsyncDisposable,
    readonly basePort: number,
    /** Where the nodes keep something; removed in the end. */
    readonly data: string,
  ) {}

  /** The base URL of a node, the gateway's by default. */
  url(kind: ServiceName = "gateway", index = 0): string {
    return this.node(kind, index).url;
  }

  get graphqlUrl(): string {
    return `${this.url()}/graphql`;
  }

  node(kind: ServiceName, index = 0): ClusterNode {
    const found = this.cluster.nodes.filter((node) => node.kind.kind === kind)[index];
    if (found === undefined) throw new Error(`there is no ${kind} ${index}`);
    return found;
  }

  /** Sends a signal to a node's process. After SIGKILL the supervisor starts it again. */
  signal(signal: Deno.Signal, kind: ServiceName, index = 0): void {
    const { pid } = this.node(kind, index).process;
    if (pid === undefined) throw new Error(`${kind} ${index} isn't running`);
    Deno.kill(pid, signal);
  }

  /** SIGKILL for PostgreSQL's postmaster; its guard ends with it, and the supervisor starts both again. */
  killPostgres(): void {
    this.#killedPostmaster = readPostmaster(this.postgres.data)!.pid;
    Deno.kill(this.#killedPostmaster, "SIGKILL");
  }

  /** SIGSTOP for PostgreSQL's postmaster and all that it has started; at the disposal they go on. */
  async freezePostgres(): Promise<Disposable> {
    const connection = await this.database("gateway").reserve();
    const postmaster = readPostmaster(this.postgres.data)!.pid;
    // First the one that would start more.
    Deno.kill(postmaster, "SIGSTOP");
    const pids = [postmaster];
    try {
      pids.push(...(await connection`select pid from pg_stat_activity`).map((row) => row.pid as number));
    } finally {
      connection.release();
    }
    const signal = (name: Deno.Signal) => {
      for (const pid of pids) {
        try {
          Deno.kill(pid, name);
        } catch (error) {
          // A backend may have ended meanwhile.
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    };
    signal("SIGSTOP");
    return { [Symbol.dispose]: () => signal("SIGCONT") };
  }

  /** Waits until all processes and PostgreSQL are ready and none has been started since. */
  async allReady(limitMs = 30_000): Promise<void> {
    const all = [this.postgres.process, ...this.cluster.nodes.map(({ process }) => process)];
    await until("all is ready", async () => {
      if (!all.every(({ state }) => state === "ready")) return false;
      // For a moment its old backends answer on, and its guard has not noticed.
      const postmaster = readPostmaster(this.postgres.data);
      if (postmaster?.state !== "ready" || postmaster.pid === this.#killedPostmaster) return false;
      // The supervisor asks no more once a process was ready; a gateway without its peers says so.
      const answers = await Promise.all(
        this.cluster.nodes.map(({ url }) =>
          fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
            async (response) => (await response.body?.cancel(), response.ok),
            () => false,
          )
        ),
      );
      return answers.every(Boolean);
    }, limitMs);
  }

  /** A pool of connections to the database of a service, closed with the system. */
  database(service: ServiceName): Sql {
    let sql = this.#databases.get(service);
    if (sql === undefined) {
      this.#databases.set(service, sql = connect(databaseUrl(this.postgres.url, service), "test", 4));
    }
    return sql;
  }

  /** All prepared transactions of the server, in any database. */
  async prepared(): Promise<string[]> {
    const rows = await this.database("gateway")`select gid from pg_prepared_xacts`;
    return rows.map((row) => row.gid as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#databases.values()].map((sql) => sql.end({ timeout: 1 })));
    // What a test froze can't stop.
    for (const { process } of this.cluster.nodes) if (process.pid !== undefined) Deno.kill(process.pid, "SIGCONT");
    await this.cluster.stop();
    await this.postgres[Symbol.asyncDispose]();
    await Deno.remove(this.data, { recursive: true });
  }
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const { counts = {}, env = {}, durable = false, postgres: settings, onLine, checkout = CHECKOUT } = options;
  const verbose = Deno.env.get("NOTIFYX_TEST_VERBOSE") === "1";
  const output = onLine ? new Heard(verbose, onLine) : verbose ? new Output() : silent;
  const allCounts = Object.fromEntries(
    NODE_KINDS.map(({ kind }) => [kind, counts[kind] ?? (LEFT_OUT.includes(kind) ? 0 : 1)]),
  );
  const template = Deno.env.get("NOTIFYX_TEST_POSTGRES");
  const postgres = await startPrivatePostgres({ durable, settings, output, template });
  const basePort = freeBasePort(allCounts);
  const place = {
    checkout,
    data: Deno.makeTempDirSync({ prefix: "notifyx-" }),
    host: "127.0.0.1",
    basePort,
    counts: allCounts,
    databaseUrl: postgres.url,
    trustedDocuments: env.NOTIFYX_TRUSTED_DOCUMENTS,
    mail: mailPlace(env),
    collectorUrl: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    discoveryUrls: Array.from(
      { length: allCounts.discovery! },
      (_, index) => `http://127.0.0.1:${portOf({ basePort }, "discovery", index)}`,
    ),
  };
  const cluster = new Cluster({
    place,
    postgres: undefined,
    env: { NOTIFYX_CLUSTER_SECRET: SECRET, NOTIFYX_STOP_SECONDS: "3", NOTIFYX_STOP_ON_STDIN_END: "1", ...env },
    stopMs: 5_000,
    output,
    timings: new Timings(),
  });
  const system = new System(cluster, postgres, basePort, place.data);
  try {
    await cluster.start();
  } catch (error) {
    await system[Symbol.asyncDispose]();
    throw error;
  }
  return system;
}

/** Output that somebody listens to. */
class Heard extends Output {
  constructor(private readonly prints: boolean, private readonly onLine: (name: string, line: string) => void) {
    super();
  }

  override line(name: string, text: string): void {
    this.onLine(name, text);
    if (this.prints) super.line(name, text);
  }
}

const silent = { line() {}, plain() {}, async flush() {} } as unknown as Output;

/** A base such that every port that the nodes would take is free. Tests run at once, so it is chosen at random. */
function freeBasePort(counts: Record<string, number>): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const base = 11_000 + Math.floor(Math.random() * (20_000 / PORT_SPAN)) * PORT_SPAN + Math.floor(Math.random() * 90);
    const wanted = Object.entries(PORT_OFFSETS).flatMap(([kind, offset]) =>
      Array.from({ length: counts[kind] ?? 0 }, (_, index) => base + offset + index)
    );
    if (counts.mail !== 0) wanted.push(base + INBOX_PORT_OFFSET);
    if (wanted.every(isFree)) return base;
  }
  throw new Error("no free ports");
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

/** Waits until `holds` says so. @throws Error after `limitMs`, naming `what` */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const giveUpAt = Date.now() + limitMs;
  while (!await holds()) {
    if (Date.now() > giveUpAt) throw new Error(`${what}: not within ${limitMs} ms`);
    await delay(20);
  }
}

/** Waits until `count` subscriptions are registered at the gateway: what is sent from then on reaches them. */
export async function listening(system: System, count: number): Promise<void> {
  await until(`${count} subscriptions`, async () => await metric(system.url(), "notifyx_delivery_listeners") === count);
}

/** The value of a metric without labels at the process of `url`. */
export async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}
