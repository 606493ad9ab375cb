/** The sides of the bench: ours, the two peers on Node, what the issue named first, and the bare server. Each with core 0 to itself. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSystem } from "../../tests/helpers/system.ts";
import { onCore } from "../lib/cores.ts";
import { npxPrograms } from "../lib/npx.ts";
import { startProgram, startServer } from "../lib/servers.ts";

export interface Side {
  /** Of the server, without a path. */
  readonly url: string;
  /** Of the process that answers. */
  readonly pid: number;
  stop(): Promise<void>;
}

const CORE = 0;
const PACKAGES = ["node@24", "jdenticon@3", "identicon.js@2"];
const NODE_PROGRAM = fileURLToPath(new URL("node_server.ts", import.meta.url));

/** Each throws an Error that says why it can't be had. */
export const SIDES = {
  ours: () => ours("avatar"),
  gateway: () => ours("gateway"),
  jdenticon: () => onNode("jdenticon"),
  "identicon.js": () => onNode("identicon.js"),
  imagescript: () => onDeno("imagescript_server.ts"),
  "Deno.serve": () => onDeno("bare_server.ts"),
} as const satisfies Record<string, () => Promise<Side>>;

export type SideName = keyof typeof SIDES;

/** The avatar service as it is in the whole system, of which it asks nothing for these pictures; or the gateway, which asks it. */
async function ours(kind: "avatar" | "gateway"): Promise<Side> {
  const system = await startSystem({ counts: { avatar: 1 }, env: { NOTIFYX_LIMITS: "off" } });
  const pid = system.node(kind).process.pid!;
  await onCore(CORE, pid);
  return { url: system.url(kind), pid, stop: () => system[Symbol.asyncDispose]() };
}

async function onNode(library: string): Promise<Side> {
  const [node, program] = await npxPrograms(PACKAGES, ["node", "jdenticon"]) as [string, string];
  // It is in the .bin of the folder in which both packages are.
  const modules = join(program, "..", "..");
  const { pid, line, stop } = await startProgram(node, [NODE_PROGRAM, modules, library], CORE);
  return { url: `http://127.0.0.1:${line}`, pid, stop };
}

async function onDeno(name: string): Promise<Side> {
  const { pid, line, stop } = await startServer(new URL(name, import.meta.url), [], CORE);
  return { url: `http://127.0.0.1:${line}`, pid, stop };
}
