/** What a build runs with: `deno task client:build` has the same. */

import { dirname, join } from "node:path";
import { builtFolder } from "./places.ts";
import { allow } from "../../cluster/permissions.ts";

/** The arguments of Deno for a build of that checkout. */
export function buildFlags(checkout: string): string[] {
  return [
    "run",
    "--no-prompt",
    "--quiet",
    "--allow-read",
    allow("write", [dirname(builtFolder(checkout))]),
    // Deno installs packages and runs Vite: a program with rights of its own, so that this list is a safeguard against mistakes.
    allow("run", [Deno.execPath()]),
    join(checkout, "client/build/main.ts"),
  ];
}
