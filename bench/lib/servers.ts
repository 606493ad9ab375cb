/** Starts a program that prints its port or another first line, in a process of its own, on one core. */

import { MINUTE, withTimeLimit } from "../../kit/time.ts";
import { onCore } from "./cores.ts";
import { Lines } from "./lines.ts";

export interface Server {
  readonly pid: number;
  /** The first line that it printed. */
  readonly line: string;
  stop(): Promise<void>;
}

/** On Deno. @throws Error where it ends, or says nothing for a minute */
export function startServer(program: URL, args: string[], core: number): Promise<Server> {
  return startProgram(Deno.execPath(), ["run", "--no-prompt", "--allow-all", program.pathname, ...args], core);
}

/** @throws Error where it ends, or says nothing for a minute */
export async function startProgram(command: string, args: string[], core: number): Promise<Server> {
  const child = new Deno.Command(command, {
    args,
    env: { NODE_ENV: "production" },
    stdout: "piped",
  }).spawn();
  const lines = new Lines(child.stdout);
  const stop = async () => {
    child.kill("SIGKILL");
    await child.status;
    await lines.cancel();
  };
  try {
    await onCore(core, child.pid);
    return { pid: child.pid, line: await withTimeLimit(`${command} ${args.join(" ")}`, MINUTE, lines.next()), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
