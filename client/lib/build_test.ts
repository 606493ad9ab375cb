/** What an app loads: how large it is, and whether its types are those of the API. */

import assert from "node:assert/strict";
import { bundle } from "./build.ts";
import { generateTypes, TYPES } from "./generate_types.ts";

/** With graphql-ws, gzipped, in bytes. */
const MOST_BYTES = 12_000;

Deno.test("client - at most 12 KB gzipped, with all that it needs", async () => {
  const code = await bundle({ minify: true });
  assert.doesNotMatch(new TextDecoder().decode(code), /\bimport\b\s*[{*"]/);
  const gzipped = new Response(new Blob([code]).stream().pipeThrough(new CompressionStream("gzip")));
  const { byteLength } = await gzipped.arrayBuffer();
  assert.ok(byteLength <= MOST_BYTES, `${byteLength} bytes`);
});

Deno.test("client - its types are those of schema/ (deno task client:types)", async () => {
  assert.equal(await Deno.readTextFile(TYPES), await generateTypes());
});
