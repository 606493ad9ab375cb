/** README's program, as it stands there, with the package as it is installed. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { startSystem } from "../../tests/helpers/system.ts";
import { writePackage } from "./build.ts";
import { runIn, runtimes } from "./testing/runtimes.ts";

const all = runtimes("client README");
const LIMIT_MS = 30_000;

Deno.test("client - README's program has ten lines and works when it is pasted, in each runtime that is here", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", import.meta.url));
  const program = /```js\n([^]*?)```/.exec(readme)![1]!;
  assert.equal(program.trim().split("\n").length, 10);
  await using system = await startSystem();
  const folder = await Deno.makeTempDir();
  try {
    await writePackage(join(folder, "node_modules/@notifyx/client"));
    await Deno.writeTextFile(join(folder, "package.json"), '{ "type": "module" }');
    await Deno.writeTextFile(
      join(folder, "program.js"),
      program.replace("http://127.0.0.1:4000/graphql", system.graphqlUrl),
    );
    for (const runtime of all.filter(({ command }) => command !== undefined)) {
      const { output, errors } = await runIn(runtime, ["program.js"], {
        cwd: folder,
        limitMs: LIMIT_MS,
        // It goes on until it is stopped.
        onOutput: (output, limit) => output.includes("\n") && limit(0),
      });
      assert.match(output, /^ann-\d+@example\.com Soup is ready\.\n$/, `${runtime.name}: ${errors}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
