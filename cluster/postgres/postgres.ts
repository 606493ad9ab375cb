/** Starts the embedded PostgreSQL under a supervisor, with its guard between the two. */

import { allow } from "../permissions.ts";
import { Output } from "../output.ts";
import { SupervisedProcess } from "../supervisor.ts";
import type { GuardOptions } from "./guard_options.ts";
import { makeLayout, type PostgresLayout } from "./layout.ts";
import { installPrograms } from "./programs.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const GUARD = fileURLToPath(new URL("./guard.ts", import.meta.url));
/** Longer than the guard gives the server to stop in its two ways. */
const STOP_LIMIT_MS = 4_000;

const SETTINGS: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "300",
  // 0 by default, which allows no two-phase commit. Never lower it: with more transactions prepared than this, a server doesn't start.
  max_prepared_transactions: "300",
  shared_buffers: "128MB",
  jit: "off",
  // The supervisor's lines have their name in front already.
  log_line_prefix: "",
  log_timezone: "UTC",
  timezone: "UTC",
};

export interface PostgresOptions {
  readonly layout: PostgresLayout;
  readonly port: number;
  /** A file that holds the password of the user `postgres`; read at the first start, when it becomes the server's. */
  readonly passwordFile: string;
  readonly settings?: Record<string, string>;
  /** A folder that goes away with the server, also when we are killed. */
  readonly remove?: string;
  readonly name?: string;
  readonly output?: Output;
  readonly progress?: (line: string) => void;
}

export interface Postgres {
  /** `postgres://postgres:PASSWORD@127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly data: string;
  readonly process: SupervisedProcess;
  /** Ends when it takes connections for the first time. */
  readonly ready: Promise<void>;
  /** A fast stop: sessions are ended, then a checkpoint is written. */
  stop(limitMs?: number): Promise<void>;
}

/** Installs the programs, makes the data if need be, and starts the server; `ready` says when it takes connections. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { layout, port, passwordFile, output = new Output(), progress = () => {} } = options;
  makeLayout(layout);
  const programs = await installPrograms(layout.programs, progress);
  const guard: GuardOptions = {
    home: layout.home,
    programs,
    passwordFile,
    user: layout.user,
    remove: options.remove,
    settings: { ...SETTINGS, ...options.settings, port: String(port) },
  };
  const process = new SupervisedProcess({
    name: options.name ?? "postgres",
    program: Deno.execPath(),
    args: ["run", "--no-prompt", "--quiet", "--no-lock", ...permissions(guard), GUARD, JSON.stringify(guard)],
    env: {},
    ready: { line: "ready" },
    // Killed, it could not stop the server; at SIGQUIT it does so at once.
    killSignal: "SIGQUIT",
    onLine: (line) => {
      progress(line);
      return true;
    },
    output,
  });
  return {
    url: `postgres://postgres:${Deno.readTextFileSync(passwordFile).trim()}@127.0.0.1:${port}`,
    port,
    data: join(layout.home, "data"),
    process,
    ready: process.start(),
    stop: (limitMs = STOP_LIMIT_MS) => process.stop(limitMs),
  };
}

/** The guard may run PostgreSQL's programs and, to look for what an earlier start left, the one that shows a process's command line. */
function permissions({ home, programs, passwordFile, remove }: GuardOptions): string[] {
  const bin = (name: string) => join(programs, "bin", name);
  const looker = Deno.build.os === "linux" ? "/bin/cat" : "/bin/ps";
  return [
    allow("read", [home, passwordFile]),
    allow("write", [home]),
    allow("run", [bin("postgres"), bin("initdb"), bin("pg_ctl"), looker, ...remove === undefined ? [] : ["/bin/rm"]]),
  ];
}
