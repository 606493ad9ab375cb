/** Starts one of the peers in a process of its own, on one core. */

import { onCore } from "../lib/cores.ts";
import { Lines } from "../lib/lines.ts";

export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

export async function startServer(program: string, args: string[], core: number): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-all", new URL(program, import.meta.url).pathname, ...args],
    env: { NODE_ENV: "production" },
    stdout: "piped",
  }).spawn();
  await onCore(core, child.pid);
  const lines = new Lines(child.stdout);
  const port = Number(await lines.next());
  return {
    port,
    async stop() {
      child.kill("SIGKILL");
      await child.status;
      await lines.cancel();
    },
  };
}
