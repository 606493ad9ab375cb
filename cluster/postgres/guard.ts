/**
 * The parent of `postgres`, in a process of its own: when its stdin ends, because whoever started it stopped or was killed,
 * it stops the server and exits. So no server outlives its supervisor, and a killed server ends its guard, which is then restarted.
 *
 * Takes one argument, a {@link GuardOptions} as JSON. Says on stdout, a line each: `initialising`, `waiting REASON`, `ready`.
 * What the server has to say to people goes to stderr.
 */

import { delay, SECOND } from "../../kit/time.ts";
import { initialise } from "./initialise.ts";
import { stopLeftover } from "./leftover.ts";
import { isReady } from "./postmaster_pid.ts";
import { ServerLog } from "./server_log.ts";
import type { GuardOptions } from "./guard_options.ts";
import { join } from "node:path";

/** How long a fast stop may take before an immediate one, and that before a kill. */
const FAST_STOP_MS = 2 * SECOND;
const IMMEDIATE_STOP_MS = 1 * SECOND;
/** What a server that was killed has left running needs a moment to notice; until then a new one refuses to start. */
const LEFTOVER_LIMIT_MS = 15 * SECOND;

const options: GuardOptions = JSON.parse(Deno.args[0] ?? "{}");
const data = join(options.home, "data");
const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => stopping.abort());
}
let hurry = false;
Deno.addSignalListener("SIGQUIT", () => {
  hurry = true;
  stopping.abort();
});
Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => stopping.abort());

const started = Date.now();
await stopLeftover(options, (reason) => console.log(`waiting ${reason}`));
if (!stopping.signal.aborted) await initialise(options, () => console.log("initialising"));
while (!stopping.signal.aborted) {
  const { retry, code } = await serve();
  if (stopping.signal.aborted) break;
  if (!retry || Date.now() - started > LEFTOVER_LIMIT_MS) Deno.exit(code);
  console.log("waiting for what is left of a server that was killed");
  await delay(100, stopping.signal);
}
if (options.remove !== undefined) {
  // Not by Deno, which lets nobody remove the programs that it may run.
  await new Deno.Command("/bin/rm", { args: ["-rf", "--", options.remove], cwd: "/", stdin: "null" }).output();
}
Deno.exit(0);

/** Runs the server until it ends or until we are to stop; `retry` if it could not start because of another's remains. */
async function serve(): Promise<{ retry: boolean; code: number }> {
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = new Deno.Command(join(options.programs, "bin", "postgres"), {
    args: ["-D", data, ...settings],
    uid: options.user?.uid,
    gid: options.user?.gid,
    cwd: options.home,
    clearEnv: true,
    env: { LC_ALL: "C", TZ: "UTC" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    // A session of its own: a terminal's Ctrl-C would stop it before those who use it.
    detached: true,
  }).spawn();
  const log = new ServerLog(stopping.signal);
  const logged = log.follow(server.stderr);
  const ended = server.status;
  let up = false;
  let down = false;
  ended.then(() => down = true);

  stopping.signal.addEventListener("abort", () => stop(server, ended), { once: true });
  while (!down && !up) {
    up = isReady(data, server.pid);
    if (!up) await Promise.race([delay(20), ended]);
  }
  if (up) console.log("ready");

  const status = await ended;
  await logged;
  if (stopping.signal.aborted) return { retry: false, code: 0 };
  if (!up && log.foundRemains) return { retry: true, code: 1 };
  if (!up) log.showAll();
  console.error(`postgres ended: ${status.signal ?? `exit code ${status.code}`}`);
  return { retry: false, code: 1 };
}

/** A fast stop (sessions end, then a checkpoint), then an immediate one (the next start recovers), then a kill. */
async function stop(server: Deno.ChildProcess, ended: Promise<Deno.CommandStatus>): Promise<void> {
  const steps = [["SIGINT", FAST_STOP_MS], ["SIGQUIT", IMMEDIATE_STOP_MS], ["SIGKILL", 0]] as const;
  for (const [signal, limitMs] of hurry ? steps.slice(1) : steps) {
    try {
      server.kill(signal);
    } catch {
      return; // It has ended.
    }
    for (let waited = 0; waited < limitMs && !(hurry && signal === "SIGINT"); waited += 50) {
      if (await Promise.race([ended, delay(50)]) !== undefined) return;
    }
  }
}
