/** Prints where Deno keeps the npm package that is named on the command line, downloading it if need be. */

import { fileURLToPath } from "node:url";

const [specifier] = Deno.args;
if (specifier === undefined) throw new TypeError("locate: no package given");
await import(specifier);
console.log(fileURLToPath(import.meta.resolve(specifier)));
