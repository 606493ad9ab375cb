/**
 * The ceiling: a bare `ws` server that writes one fixed frame of the same size for each event to the same sockets, all that one turn brings
 * to a socket in one corked write. Its events are those of the feed that a gateway follows. Arguments: the feed's URL, the cluster's
 * secret. Prints its port. Routes as in stock.ts.
 */

import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { frameOf } from "./payload.ts";

const [feedUrl, secret] = Deno.args as [string, string];
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: ([first]) => first! });
const all: { client: import("ws").WebSocket; raw: Duplex }[] = [];

function write(numbers: readonly number[]): void {
  const frames = numbers.map(frameOf);
  for (const { client, raw } of all) {
    raw.cork();
    for (const frame of frames) client.send(frame);
    raw.uncork();
  }
}

const server = createServer((request, response) => {
  const url = new URL(request.url!, "http://localhost");
  if (url.pathname === "/rss") return void response.end(String(Deno.memoryUsage().rss));
  if (url.pathname === "/subscribed") return void response.end(String(all.length));
  const at = performance.timeOrigin + performance.now();
  // At once, as nothing but a machine of its own could send them.
  write(Array.from({ length: Number(url.searchParams.get("count")) }, (_, nth) => nth));
  response.end(String(at));
});
server.on("upgrade", (request, raw, head) => {
  sockets.handleUpgrade(request, raw, head, (client) => {
    all.push({ client, raw });
    client.on("message", () => client.send('{"type":"connection_ack"}'));
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));

const feed = await fetch(`${feedUrl}/api/feed`, { headers: { authorization: `Bearer ${secret}` } });
const reader = feed.body!.pipeThrough(new TextDecoderStream()).getReader();
await reader.read();
for (;;) {
  const { value, done } = await reader.read();
  if (done) break;
  const numbers = [...value.matchAll(/"message":"(\d+)"/g)].map(([, number]) => Number(number));
  if (numbers.length > 0) write(numbers);
}
