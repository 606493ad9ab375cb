/**
 * What every process starts from: its setup, then its port, then its lease in discovery; and the same backwards at the end.
 *
 * Stop, on SIGTERM, SIGINT, or the end of stdin: leave discovery, serve on for a moment where others can take over (linger.ts), stop
 * accepting, finish what is in flight within NOTIFYX_STOP_SECONDS, then run what `onStop` was given, last first (workers, then pools), and
 * exit.
 */

import type { CommonConfig } from "./config.ts";
import type { DATABASE_SETTINGS } from "./config.ts";
import { serveCrashPoints } from "./crash_points.ts";
import { Dashboard } from "./dashboard/dashboard.ts";
import type { Sql } from "./database.ts";
import { DatabaseLook } from "./database_metrics.ts";
import { Directory, reason } from "./directory.ts";
import { DirectoryCopy } from "./directory_copy.ts";
import { type App, createApp } from "./http.ts";
import { type Logger, startLog } from "./log.ts";
import { untilQuiet } from "./linger.ts";
import type { Migration } from "./migrations.ts";
import { ownHosts } from "./own_hosts.ts";
import { PORT_OFFSETS, type ServiceName } from "./ports.ts";
import { sampleEventLoop } from "./process_metrics.ts";
import { Registration } from "./registration.ts";
import type { StatusPage, StatusSection } from "./status_page.ts";
import type { SubgraphOptions } from "./subgraph.ts";
import { SECOND, TimeLimitError, withTimeLimit } from "./time.ts";
import { startTracing } from "./tracing/mod.ts";
import { VERSION } from "./version.ts";
import type { JSONWebKeySet } from "jose";
import { dirname } from "node:path";
import type * as v from "valibot";

type DatabaseConfig = v.InferOutput<v.ObjectSchema<typeof DATABASE_SETTINGS, undefined>>;

/** What a server has to offer so that it can be stopped: refuse new connections and resolve when the last request is answered. */
export interface Listener {
  readonly port: number;
  drain(): Promise<void>;
  /** Cuts off what is still open when draining took too long. */
  close(): void;
}

/** Serves the app on a port. */
export type Listen = (app: App, hostname: string, port: number) => Promise<Listener>;

/** Connections of a participant that serve its transactions alone. */
const TRANSACTION_CONNECTIONS = 12;
/** How long one step of a stop may take unless it says so, in milliseconds. */
const STOP_STEP_LIMIT_MS = 2 * SECOND;

export interface ServiceOptions {
  readonly name: ServiceName;
  readonly config: CommonConfig;
  /** Operations of two-phase commit in which this service takes part. */
  readonly participates?: readonly string[];
  /** Makes routes, subgraph and workers, and may say how to serve them; Deno.serve by default. What it throws ends the process with one line. */
  readonly setUp: (service: Service) => Promise<Listen | void>;
  /** Discovery itself doesn't register with discovery. */
  readonly registers?: boolean;
}

export class Service {
  readonly readyChecks = new Map<string, () => boolean | Promise<boolean>>();
  /** What people see of this process. */
  readonly dashboard: Dashboard;
  readonly app: App;
  readonly secret: string;
  readonly directory: Directory;
  readonly discoveryUrls: readonly string[];
  readonly instanceId: string;
  /** The one it listens on. */
  readonly port: number;
  /** Where others reach this process. */
  readonly url: string;
  /** Aborts when nothing more is accepted: whatever waits or loops ends then. */
  readonly stopping: AbortSignal;
  /** Aborts when it is told to stop, a moment earlier. */
  readonly leaving: AbortSignal;
  /** A folder of this process's own, where it keeps copies of what it would need with nobody else there; undefined where it has none. */
  readonly folder: string | undefined;
  /** Names the types of its subgraph; undefined where it has none. */
  schemaHash: string | undefined;
  readonly #leave = new AbortController();
  readonly #stop = new AbortController();
  readonly #stopSteps: { what: string; step: () => unknown; limitMs: number }[] = [];

  constructor(readonly name: ServiceName, readonly config: CommonConfig, readonly log: Logger) {
    this.secret = config.NOTIFYX_CLUSTER_SECRET;
    this.stopping = this.#stop.signal;
    this.leaving = this.#leave.signal;
    this.instanceId = `${name}-${crypto.randomUUID()}`;
    this.port = config.NOTIFYX_PORT ?? config.NOTIFYX_BASE_PORT + PORT_OFFSETS[name];
    this.url = config.NOTIFYX_URL?.replace(/\/+$/, "") ?? `http://${urlHost(config.NOTIFYX_HOST)}:${this.port}`;
    this.discoveryUrls = config.NOTIFYX_DISCOVERY_URLS ??
      [`http://127.0.0.1:${config.NOTIFYX_BASE_PORT + PORT_OFFSETS.discovery}`];
    const file = config.NOTIFYX_DIRECTORY_COPY;
    this.folder = file === undefined ? undefined : dirname(file);
    const copy = file === undefined ? undefined : new DirectoryCopy(file, this.secret, log);
    this.directory = new Directory(this.discoveryUrls, log, { copy });
    this.dashboard = new Dashboard({ service: name, id: this.instanceId, readyChecks: this.readyChecks });
    this.app = createApp({
      service: name,
      secret: this.secret,
      log,
      readyChecks: this.readyChecks,
      statusPage: this.statusPage,
      dashboard: this.dashboard,
      ownHosts: ownHosts(config),
    });
    if (config.NOTIFYX_CRASH_POINTS === "1") serveCrashPoints(this.app, this.secret);
  }

  /** The tables of its status page. */
  get statusPage(): StatusPage {
    return this.dashboard.sections;
  }

  /** Runs `step` at the stop, after all that was added later; at most `limitMs` milliseconds are waited for it. */
  onStop(what: string, step: () => unknown, limitMs: number = STOP_STEP_LIMIT_MS): void {
    this.#stopSteps.push({ what, step, limitMs });
  }

  /** This service's own database, up to date; closed at the stop. */
  async database(config: DatabaseConfig, migrations: readonly Migration[]): Promise<Sql> {
    // Loaded here, so that a service without a database doesn't load the driver; the same below.
    const [{ openDatabase }, { measurePool, PoolUse }] = await Promise.all([
      import("./database.ts"),
      import("./database_pool.ts"),
    ]);
    const { NOTIFYX_DATABASE_URL: serverUrl, NOTIFYX_DATABASE_POOL: poolSize } = config;
    const pool = await openDatabase({ serverUrl, service: this.name, poolSize, migrations, log: this.log });
    const use = new PoolUse(pool, poolSize);
    measurePool("service", use);
    const { sql } = use;
    this.onStop("the database's pool", () => sql.end({ timeout: 1 }));
    const look = new DatabaseLook(() => sql`select 1`);
    look.start();
    this.onStop("the look at the database", () => look.stop());
    this.readyChecks.set("database", async () => (await sql`select 1`).length === 1);
    return sql;
  }

  /**
   * A participant's further connections to its database, for prepare and commit alone: no slow query of the service stands in their
   * way. Few are enough, since many transactions are pipelined over them; with 6, 12 or 16 a send costs the same.
   */
  async transactions(config: DatabaseConfig): Promise<Sql> {
    const [{ connect, databaseUrl }, { measurePool, PoolUse }] = await Promise.all([
      import("./database.ts"),
      import("./database_pool.ts"),
    ]);
    const url = databaseUrl(config.NOTIFYX_DATABASE_URL, this.name);
    const poolSize = Math.min(TRANSACTION_CONNECTIONS, config.NOTIFYX_DATABASE_POOL);
    const use = new PoolUse(connect(url, `${this.name}-2pc`, poolSize), poolSize);
    measurePool("transactions", use);
    const { sql } = use;
    this.onStop("the transactions' pool", () => sql.end({ timeout: 1 }));
    return sql;
  }

  /** Serves `sdl` on `/graphql`, with GraphiQL for browsers, and has it join the graph. Auth alone gives its `keys`; the others ask auth for them. */
  async subgraph(
    { keys, ...options }: Pick<SubgraphOptions, "sdl" | "resolvers"> & { keys?: JSONWebKeySet },
  ): Promise<void> {
    const [{ serveGraphiQL }, { serveSubgraph }, { fetchAuthKeys, IdentityVerifier }] = await Promise.all([
      import("./graphiql.ts"),
      import("./subgraph.ts"),
      import("./identity.ts"),
    ]);
    const identities = new IdentityVerifier(() => keys ? Promise.resolve(keys) : fetchAuthKeys(this.directory));
    serveGraphiQL(this.app, { title: `Notifyx ${this.name}`, signIn: false });
    this.schemaHash = await serveSubgraph(this.app, {
      ...options,
      identities,
      secret: this.secret,
      stopping: this.stopping,
      log: this.log,
    });
  }

  /** Begins the stop; the steps run once, whoever asks. */
  beginStop(): void {
    this.#leave.abort();
  }

  /** Nothing more is accepted. */
  endService(): void {
    this.#stop.abort();
  }

  async runStopSteps(): Promise<void> {
    for (const { what, step, limitMs } of this.#stopSteps.reverse()) {
      try {
        await withTimeLimit(what, limitMs, Promise.resolve(step()));
      } catch (error) {
        this.log.warning("{what} did not stop as it should: {error}", { what, error: reason(error) });
      }
    }
  }
}

/** Runs a service until it is told to stop, then exits. */
export async function runService(options: ServiceOptions): Promise<never> {
  const { name, config } = options;
  const log = await startLog(name, { level: config.NOTIFYX_LOG_LEVEL, format: config.NOTIFYX_LOG_FORMAT });
  const service = new Service(name, config, log);
  stopWhenTold(service, config.NOTIFYX_STOP_ON_STDIN_END === "1");
  sampleEventLoop();
  try {
    await startAndWait(service, options);
  } catch (error) {
    log.error("{service} can't start: {error}", { service: name, error: reason(error) });
    Deno.exit(1);
  }
  Deno.exit(0);
}

async function startAndWait(service: Service, options: ServiceOptions): Promise<void> {
  const { config, log } = service;
  const stopMs = config.NOTIFYX_STOP_SECONDS * SECOND;
  const register = options.registers ?? true;
  // The first, so that it is stopped last: with what the stop itself has to tell.
  service.onStop("the traces", await startTracing(service.name, service.instanceId, config, log));
  if (register) service.directory.start();
  // A setup may wait a minute for its database: who is told to stop meanwhile stops.
  const listen = await Promise.race([options.setUp(service), aborted(service.leaving)]) ?? listenWithDeno;
  if (service.leaving.aborted) {
    service.endService();
    return await service.runStopSteps();
  }
  service.statusPage.push(processSection);
  service.dashboard.start();
  // Open pages are requests in flight, which the stop waits for.
  service.stopping.addEventListener("abort", () => service.dashboard.close(), { once: true });
  service.onStop("the status page", () => service.dashboard.stop());
  const listener = await listen(service.app, config.NOTIFYX_HOST, service.port);
  const registration = new Registration({
    discoveryUrls: service.discoveryUrls,
    secret: service.secret,
    id: service.instanceId,
    service: service.name,
    url: service.url,
    participates: options.participates,
    subgraph: service.schemaHash !== undefined,
    schemaHash: service.schemaHash,
    version: VERSION,
    log,
  });
  if (register) registration.start();
  log.info("{service} listens on port {port}", { service: service.name, port: listener.port });

  // Whoever balances over nodes without discovery sees it there.
  service.readyChecks.set("running", () => !service.leaving.aborted);

  await aborted(service.leaving);

  log.info("{service} stops", { service: service.name });
  await registration.stop();
  if (service.directory.instances(service.name).some(({ id }) => id !== service.instanceId)) await untilQuiet();
  service.endService();
  await drain(listener, stopMs, log);
  await service.runStopSteps();
  await service.directory.stop();
}

function processSection(): StatusSection {
  const memory = `${Math.round(Deno.memoryUsage().rss / 1024 ** 2)} MiB`;
  return {
    title: "Process",
    columns: ["", ""],
    rows: [["process id", Deno.pid], ["version", VERSION], ["memory", memory]],
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Waits for what is in flight, at most `stopMs` milliseconds, then cuts it off. */
async function drain(listener: Listener, stopMs: number, log: Logger): Promise<void> {
  try {
    await withTimeLimit("what is in flight", stopMs, listener.drain());
  } catch (error) {
    if (!(error instanceof TimeLimitError)) throw error;
    log.warning("what was still in flight after NOTIFYX_STOP_SECONDS is cut off");
    listener.close();
  }
}

/** @param short answers a request past the app; where it doesn't, it has read nothing of it */
export function listenWithDeno(
  app: App,
  hostname: string,
  port: number,
  short: (request: Request) => Response | undefined = () => undefined,
): Promise<Listener> {
  const server = Deno.serve(
    { hostname, port, onListen: () => {} },
    (request, info) => short(request) ?? app.fetch(request, info as never),
  );
  return Promise.resolve({
    port: server.addr.port,
    drain: () => server.shutdown(),
    // After shutdown() nothing cuts off what it waits for: aborting the server's signal throws then. The exit that follows does.
    close: () => {},
  });
}

function stopWhenTold(service: Service, stopOnStdinEnd: boolean): void {
  Deno.addSignalListener("SIGTERM", () => service.beginStop());
  // Under a supervisor a terminal's Ctrl-C reaches every process at once; the supervisor then stops them in order.
  Deno.addSignalListener("SIGINT", () => stopOnStdinEnd || service.beginStop());
  if (stopOnStdinEnd) {
    Deno.stdin.readable.pipeTo(new WritableStream()).catch(() => {}).finally(() => {
      // The supervisor is gone, perhaps by SIGKILL: nobody else would end this process.
      service.beginStop();
      setTimeout(() => Deno.exit(1), 5 * SECOND);
    });
  }
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
