/** Starts clients.ts, and asks it what its sockets got. */

import { MINUTE, withTimeLimit } from "../../kit/time.ts";
import { onCore } from "../lib/cores.ts";
import { Lines } from "../lib/lines.ts";
import type { ClientsOptions, ClientsReport } from "./clients.ts";

export interface Clients {
  /** What came, once each socket has `messages` of them, since the last report. */
  report(messages: number): Promise<ClientsReport>;
  stop(): Promise<void>;
}

export async function startClients(options: ClientsOptions): Promise<Clients> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      new URL("clients.ts", import.meta.url).pathname,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await onCore(1, child.pid);
  const lines = new Lines(child.stdout);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${JSON.stringify(options)}\n`));
  const first = await withTimeLimit("the clients' start", 2 * MINUTE, lines.next());
  if (first !== "ready") throw new Error("the clients did not start");
  return {
    async report(messages) {
      await writer.write(new TextEncoder().encode(`report ${messages}\n`));
      return JSON.parse(await lines.next());
    },
    async stop() {
      await writer.close();
      await child.status;
      await lines.cancel();
    },
  };
}
