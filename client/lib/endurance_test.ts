/** The library against a server that behaves badly, in Deno, and by `deno task test:long` in each runtime that is here. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SECOND } from "../../kit/time.ts";
import { LONG } from "../../tests/helpers/long.ts";
import { bundle } from "./build.ts";
import { BadServer } from "./testing/bad_server.ts";
import { runIn, runtimes } from "./testing/runtimes.ts";

const PROGRAM = fileURLToPath(new URL("testing/scenarios.ts", import.meta.url));
const LIMIT_MS = 300 * SECOND;
/** How long a program may take to end once it has done all: what it has left would hold it. */
const END_LIMIT_MS = 10 * SECOND;

for (const runtime of runtimes("client")) {
  Deno.test({
    name: `client in ${runtime.name} - a server that behaves badly: no hang, no leak, clear errors`,
    ignore: runtime.command === undefined || (runtime.name !== "Deno" && !LONG),
    async fn() {
      await using server = await BadServer.start();
      const folder = await Deno.makeTempDir();
      try {
        const library = join(folder, "notifyx.js");
        await Deno.writeFile(library, await bundle({ minify: false }));
        const { code, output, errors } = await runIn(runtime, [PROGRAM, library, server.url], {
          limitMs: LIMIT_MS,
          onOutput: (output, limit) => output.endsWith("done\n") && limit(END_LIMIT_MS),
        });
        assert.equal(code, 0, `${output}\n${errors}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
