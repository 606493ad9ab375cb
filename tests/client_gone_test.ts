/** What the web client's server makes of browsers that go away: pages are left in the middle of what they asked for all the time. */

import assert from "node:assert/strict";
import { startSystem } from "./helpers/system.ts";

const EVERYTHING =
  "{ __schema { types { name description fields { name description args { name type { name } } type { name } } } } }";

Deno.test("client gone - a browser that leaves in the middle of an answer takes nobody along", async () => {
  await using system = await startSystem({ counts: { client: 1 } });
  const { port, hostname, host, origin } = new URL(system.url("client"));
  const body = JSON.stringify({ query: EVERYTHING });
  const head =
    `POST /graphql HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const request = new TextEncoder().encode(head + body);
  const { pid } = system.node("client").process;
  for (let nth = 0; nth < 100; nth++) {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(request);
    // Before the answer, at its beginning, or behind its headers.
    if (nth % 3 > 0) await connection.read(new Uint8Array(nth % 3 === 1 ? 10 : 500));
  }
  const whole = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  assert.ok((await whole.json()).data.__schema.types.length > 20);
  assert.equal(system.node("client").process.pid, pid);
});
