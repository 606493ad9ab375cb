/** Runs Vite with what it needs of permissions, which is no network for a build, and no programs. */

import { allow } from "../../cluster/permissions.ts";
import { dirname, join } from "node:path";
import { builtFolder, packagesFolder } from "./places.ts";
import { run } from "./run.ts";

/** It looks there whether it runs in a container, or under Windows; it finds nothing. */
const UNKNOWN = "/proc,/sys,/run,/.dockerenv";

export function runVite(checkout: string, args: readonly string[]): Promise<void> {
  return run(["run", ...viteFlags(checkout), viteProgram(checkout), ...args], checkout);
}

export function viteFlags(checkout: string): string[] {
  return [
    "--no-prompt",
    "--quiet",
    "--config",
    join(packagesFolder(checkout), "deno.json"),
    "--allow-read",
    `--ignore-read=${UNKNOWN}`,
    "--allow-env",
    "--allow-sys",
    // Its compilers are native code.
    "--allow-ffi",
    allow("write", [dirname(builtFolder(checkout))]),
  ];
}

export function viteProgram(checkout: string): string {
  return join(checkout, "client/build/vite.ts");
}
