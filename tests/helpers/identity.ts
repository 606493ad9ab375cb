/** `deno task identity`, from the outside. */

import { SECRET, type System } from "./system.ts";

/** The task as it is started, with its own permissions. */
export async function identity(system: System, args: string[], env: Record<string, string> = {}) {
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "identity", ...args],
    env: {
      NOTIFYX_CLUSTER_SECRET: SECRET,
      NOTIFYX_BASE_PORT: String(system.basePort),
      NO_COLOR: "1",
      ...env,
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}
