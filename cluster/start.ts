/**
 * `deno task start`: the whole system on this machine, until it is told to stop.
 *
 * Of its permissions in deno.json three are wider than one would like. `--allow-run` names Deno's own program, which could start
 * another with more rights, so a list is a safeguard against mistakes rather than against malice. `--allow-read` has no list, since
 * Deno's cache, from which PostgreSQL's programs are copied, may be anywhere; nor has `--allow-net`, since NOTIFYX_HOST may be any address.
 */

import { SECOND } from "../kit/time.ts";
import { INBOX_HOST, INBOX_PORT_OFFSET } from "../services/mail/settings.ts";
import { buildClientBeside } from "./client_build.ts";
import { Cluster } from "./cluster.ts";
import { launcherGone } from "./launcher.ts";
import { NODE_KINDS, type Place, portOf, reachable } from "./nodes.ts";
import { HELP, parseOptions, type StartOptions } from "./options.ts";
import { Output } from "./output.ts";
import { checkoutLayout, type Postgres, startPostgres } from "./postgres/mod.ts";
import { takenPort, type WantedPort } from "./ports.ts";
import { keptSecret } from "./secrets.ts";
import { readSettings, type StartSettings } from "./settings.ts";
import { takeStartLock } from "./start_lock.ts";
import { onStopSignals } from "./stop_signals.ts";
import { Timings } from "./timings.ts";
import { urlTable } from "./url_table.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const POSTGRES_OFFSET = 900;
/** What a start that was killed left stopping may hold its ports for so long. */
const PORTS_LIMIT_MS = 15 * SECOND;
const CHECKOUT = fileURLToPath(new URL("..", import.meta.url)).replace(/(?<=.)\/$/, "");
const DATA = join(CHECKOUT, ".data");

const options = parseOptions(Deno.args);
if ("fault" in options) fail(options.fault, 2);
if (options.help) {
  console.log(HELP);
  Deno.exit(0);
}
const onTerminal = Deno.stdout.isTerminal();
const settings = readSettings(options.counts, onTerminal);
try {
  await start(options, settings);
} catch (error) {
  fail(`notifyx did not start: ${error instanceof Error ? error.message : error}`, 1);
}

async function start(options: StartOptions, settings: StartSettings): Promise<void> {
  const lock = takeStartLock(DATA);
  if ("holder" in lock) fail(`deno task start is already running in this checkout (process ${lock.holder})`, 1);
  const output = new Output();
  const timings = new Timings();
  const fault = await portFault(options, settings, lock.afterCrash, output);
  if (fault !== undefined) {
    // Nothing was started, so the next start has nothing to wait for, unless this one had.
    if (!lock.afterCrash) lock[Symbol.dispose]();
    fail(fault, 1);
  }

  let cluster: Cluster | undefined;
  let postgres: Postgres | undefined;
  const endBuild = (options.counts.client ?? 0) > 0 ? buildClientBeside(CHECKOUT, output) : undefined;
  const end = async (code: number) => {
    await Promise.all([cluster?.stop() ?? postgres?.stop(), endBuild?.()]);
    lock[Symbol.dispose]();
    await output.flush(1 * SECOND);
    Deno.exit(code);
  };
  onStopSignals(
    (signal) => {
      output.plain(`${signal}: stopping`);
      end(0);
    },
    () => {
      output.plain("stopping at once");
      void endBuild?.();
      cluster?.kill();
      postgres?.process.kill();
    },
  );

  launcherGone().then(() => {
    output.plain("the process that started this one is gone: stopping");
    end(0);
  });

  try {
    const embedded = settings.databaseUrl === undefined;
    if (embedded) {
      postgres = await timings.measure("postgres programs there", embeddedPostgres(settings, output));
    }
    const place: Place = {
      checkout: CHECKOUT,
      data: DATA,
      host: settings.host,
      basePort: settings.basePort,
      counts: options.counts,
      databaseUrl: settings.databaseUrl ?? postgres?.url ?? "",
      discoveryUrls: discoveryUrls(options, settings),
      trustedDocuments: settings.trustedDocuments,
      settingFiles: settings.settingFiles,
      mail: settings.mail,
      collectorUrl: settings.collectorUrl,
    };
    cluster = new Cluster({
      place,
      postgres,
      env: {
        NOTIFYX_CLUSTER_SECRET: settings.clusterSecret ?? keptSecret(join(DATA, "cluster-secret")),
        NOTIFYX_STOP_SECONDS: String(settings.stopSeconds),
        NOTIFYX_STOP_ON_STDIN_END: "1",
        // Their stdout is a pipe to us, so they can't tell.
        ...settings.logFormat === undefined && onTerminal ? { NOTIFYX_LOG_FORMAT: "pretty" } : {},
      },
      stopMs: settings.stopSeconds * SECOND,
      output,
      timings,
    });
    await cluster.start();
    for (const line of urlTable(cluster.nodes, place)) output.plain(line);
    if (options.timings) { for (const line of timings.lines()) output.plain(line); }
    output.plain(`notifyx ready in ${(performance.now() / SECOND).toFixed(1)} s`);
  } catch (error) {
    output.plain(`notifyx did not start: ${error instanceof Error ? error.message : error}`);
    await end(1);
  }
}

/** The embedded server of this checkout, started. */
async function embeddedPostgres(settings: StartSettings, output: Output): Promise<Postgres> {
  const passwordFile = join(DATA, "postgres", "password");
  const layout = await checkoutLayout(CHECKOUT, DATA, keptSecret(passwordFile));
  if (layout.user !== undefined) {
    output.plain(
      `PostgreSQL can't run as root: it runs as ${layout.user.name}, with its data in ${join(layout.home, "data")}`,
    );
  }
  return await startPostgres({
    layout,
    port: settings.basePort + POSTGRES_OFFSET,
    passwordFile,
    output,
    progress: (line) => output.line("postgres", line),
  });
}

/** What is wrong where something else listens where we want to. @throws Error for a host that is none of this machine's */
async function portFault(
  { counts }: StartOptions,
  { host, basePort, databaseUrl, mail }: StartSettings,
  afterCrash: boolean,
  output: Output,
): Promise<string | undefined> {
  const wanted: WantedPort[] = NODE_KINDS.flatMap(({ kind }) =>
    Array.from({ length: counts[kind] ?? 0 }, (_, index) => ({
      name: kind,
      host,
      port: portOf({ basePort }, kind, index),
    }))
  );
  // Whoever else listened there would get the mails.
  if (mail.smtpUrl === undefined && (counts.mail ?? 0) > 0) {
    wanted.push({ name: "the development inbox", host: INBOX_HOST, port: basePort + INBOX_PORT_OFFSET });
  }
  // After a crash a server of ours may hold its port; its guard will find it and stop it.
  if (databaseUrl === undefined && !afterCrash) {
    wanted.push({ name: "PostgreSQL", host: "127.0.0.1", port: basePort + POSTGRES_OFFSET });
  }
  let taken = await takenPort(wanted);
  if (taken !== undefined && afterCrash) {
    output.plain("waiting for what is left of a start that was killed");
    taken = await takenPort(wanted, PORTS_LIMIT_MS);
  }
  if (taken === undefined) return undefined;
  await output.flush(SECOND);
  return `port ${taken.port} (${taken.name}) is taken; NOTIFYX_BASE_PORT, which is ${basePort}, moves all ports together`;
}

function discoveryUrls({ counts }: StartOptions, { host, basePort, discoveryUrls }: StartSettings): string[] {
  const ours = Array.from(
    { length: counts.discovery ?? 0 },
    (_, index) => `http://${reachable(host)}:${portOf({ basePort }, "discovery", index)}`,
  );
  return [...ours, ...discoveryUrls];
}

function fail(line: string, code: number): never {
  console.error(line);
  Deno.exit(code);
}
