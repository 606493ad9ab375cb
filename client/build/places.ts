/** Where the client is built. All of it is under `.data/client`, and can be removed at any time. */

import { join } from "node:path";

/** What `deno task client:build` makes, and the client's server reads: `files/`, and `build.json`, which names them. */
export function builtFolder(checkout: string): string {
  return join(checkout, ".data/client/built");
}

/** Where npm's packages are put, since Vite looks for them in a folder. */
export function packagesFolder(checkout: string): string {
  return join(checkout, ".data/client/packages");
}
