/** Ceilings: a server that reads the body and answers one fixed small text. Argument: `node:http` or `Deno.serve`. Prints its port. */

import { createServer } from "node:http";

const TEXT = '{"data":{"book":{"id":"0000","title":"Title 0000"}}}';

if (Deno.args[0] === "Deno.serve") {
  const headers = { "content-type": "application/json" };
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(port),
  }, async (request) => {
    await request.text();
    return new Response(TEXT, { headers });
  });
} else {
  const headers = { "content-type": "application/json", "content-length": String(TEXT.length) };
  const server = createServer((request, response) => {
    request.on("data", () => {});
    request.on("end", () => response.writeHead(200, headers).end(TEXT));
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
}
