/** Close codes as npm `graphql-ws`'s client takes them: our table says who comes back, and here it is asked. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createClient } from "graphql-ws";
import { WebSocketServer } from "ws";
import { CLOSE, REASON_LIMIT_BYTES } from "./close_codes.ts";

Deno.test("close codes - a graphql-ws client comes back after those that say so, and after no other", async () => {
  for (const [name, { code, reason, comesBack }] of Object.entries(CLOSE)) {
    assert.ok(Buffer.byteLength(reason) <= REASON_LIMIT_BYTES);
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    let connections = 0;
    server.on("connection", (socket) => {
      connections++;
      socket.on("message", () => socket.close(code, reason));
    });
    const client = createClient({
      url: `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
      retryAttempts: 1,
      retryWait: () => Promise.resolve(),
    });
    const results = client.iterate({ query: "{ x }" });
    await assert.rejects(results.next());
    assert.equal(connections, comesBack ? 2 : 1, name);
    await client.dispose();
    await new Promise((resolve) => server.close(resolve));
  }
});
