/**
 * Finds a server that runs in our data folder although its guard is gone, and stops it.
 * `postmaster.pid` alone is no proof: after a crash or a reboot its number may belong to another program by now.
 */

import { delay, SECOND } from "../../kit/time.ts";
import type { GuardOptions } from "./guard_options.ts";
import { readPostmaster } from "./postmaster_pid.ts";
import { join } from "node:path";

const FAST_STOP_MS = 5 * SECOND;
const IMMEDIATE_STOP_MS = 5 * SECOND;
/** Above every system's largest. */
const NOBODYS_PID = 2 ** 31 - 1;

export async function stopLeftover(options: GuardOptions, progress: (reason: string) => void): Promise<void> {
  const data = join(options.home, "data");
  const pid = readPostmaster(data)?.pid;
  if (pid === undefined) return;
  if (!await runsIn(data, pid)) return disown(data);
  progress(`for the PostgreSQL that an earlier start left behind (process ${pid})`);
  for (const [signal, limitMs] of [["INT", FAST_STOP_MS], ["QUIT", IMMEDIATE_STOP_MS], ["KILL", SECOND]] as const) {
    // pg_ctl sends the signal as the server's own user, which can do no harm to anyone else's process.
    await run(options, join(options.programs, "bin", "pg_ctl"), ["kill", signal, String(pid)]);
    for (let waited = 0; waited < limitMs; waited += 50) {
      if (!await runsIn(data, pid)) return disown(data);
      await delay(50);
    }
  }
}

/**
 * Puts a number that no process has into a `postmaster.pid` whose server is gone, for a new server refuses to start while
 * the number in it is anyone's. The file stays: it also says which shared memory to look for.
 */
function disown(data: string): void {
  const file = join(data, "postmaster.pid");
  try {
    Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace(/^-?\d+/, String(NOBODYS_PID)), { create: false });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // A server that stops properly removes it.
  }
}

/** Whether `pid` is a postgres that was started for this data folder. */
async function runsIn(data: string, pid: number): Promise<boolean> {
  // Deno lets nobody read /proc without --allow-all, so a program that may is asked.
  const [program, args] = Deno.build.os === "linux"
    ? ["/bin/cat", [`/proc/${pid}/cmdline`]] as const
    : ["/bin/ps", ["-p", String(pid), "-ww", "-o", "command="]] as const;
  const { stdout } = await new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" }).output();
  const command = new TextDecoder().decode(stdout).replaceAll("\0", " ");
  return command.includes("postgres") && command.includes(` -D ${data} `);
}

async function run({ user, home }: GuardOptions, program: string, args: string[]): Promise<void> {
  const command = new Deno.Command(program, {
    args,
    uid: user?.uid,
    gid: user?.gid,
    cwd: home,
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  await command.output();
}
