/** `deno task client:build`. */

import { buildClient } from "./build.ts";
import { RunError } from "./run.ts";
import { fileURLToPath } from "node:url";

try {
  await buildClient(fileURLToPath(new URL("../..", import.meta.url)).replace(/(?<=.)\/$/, ""), console.log);
} catch (error) {
  if (error instanceof RunError) console.error(error.said);
  console.error(`the client can't be built: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
