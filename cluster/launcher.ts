/**
 * Notices that whoever launched us is gone: `deno task`, and what is above it under `npx -y deno task start`. SIGTERM to npx ends
 * npx and the shell below it, and nobody passes it on, so without this everything would run on with nobody to stop it.
 */

import { delay, SECOND } from "../kit/time.ts";

const LOOK_EVERY_MS = 1 * SECOND;
/** Between npx and us: a shell, the program that npm's package of Deno installs, `deno task`. What is further away is not our launcher. */
const MOST_BETWEEN = 3;

interface Ancestor {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Resolves when one of our launchers has gone; never, if we were not launched by `deno task` or npx. */
export async function launcherGone(): Promise<void> {
  // npm sets the one, and `deno task` the other.
  const npx = Deno.env.get("npm_command") === "exec" ? await ancestorsUpToNpx() : [];
  if (npx.length === 0 && Deno.env.get("INIT_CWD") === undefined) return new Promise(() => {});
  const parent = Deno.ppid;
  while (true) {
    await delay(LOOK_EVERY_MS);
    if (Deno.ppid !== parent) return;
    if (npx.length > 0 && await anyGone(npx)) return;
  }
}

/** Our ancestors from the nearest to npx itself, or none if there is no npx among them. */
async function ancestorsUpToNpx(): Promise<Ancestor[]> {
  const found: Ancestor[] = [];
  let pid = Deno.ppid;
  while (pid > 1 && found.length <= MOST_BETWEEN) {
    const [ancestor] = await look([pid]);
    if (ancestor === undefined) return [];
    if (/^np[mx]\b/.test(ancestor.command)) return found;
    found.push(ancestor);
    pid = ancestor.parent;
  }
  return [];
}

/** Whether one of `ancestors` has ended, or has lost its parent. */
async function anyGone(ancestors: readonly Ancestor[]): Promise<boolean> {
  const now = await look(ancestors.map(({ pid }) => pid));
  return ancestors.some(({ pid, parent }) => now.find((one) => one.pid === pid)?.parent !== parent);
}

/** What the system says about these processes. Deno lets nobody read /proc without --allow-all, so programs that may are asked. */
async function look(pids: readonly number[]): Promise<Ancestor[]> {
  const [program, args, pattern] = Deno.build.os === "linux"
    ? [
      "/bin/cat",
      pids.map((pid) => `/proc/${pid}/stat`),
      /^(?<pid>\d+) \((?<command>.*)\) \S (?<parent>\d+) /gm,
    ] as const
    : [
      "/bin/ps",
      ["-o", "pid=,ppid=,command=", "-p", pids.join(",")],
      /^ *(?<pid>\d+) +(?<parent>\d+) (?<command>.*)$/gm,
    ] as const;
  const { stdout } = await new Deno.Command(program, { args: [...args], stdin: "null", stderr: "null" }).output();
  return [...new TextDecoder().decode(stdout).matchAll(pattern)].map(({ groups }) => ({
    pid: Number(groups?.pid),
    parent: Number(groups?.parent),
    command: groups?.command ?? "",
  }));
}
