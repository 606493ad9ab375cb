/**
 * The ceiling: a bare `ws` server that writes one fixed frame of the same size to the same sockets, all that one burst brings to a socket
 * in one corked write. Prints its port. Routes as in stock.ts.
 */

import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { notification } from "./payload.ts";

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: ([first]) => first! });
const all: { client: import("ws").WebSocket; raw: Duplex }[] = [];
const frameOf = (nth: number) =>
  JSON.stringify({
    id: "00000000-0000-4000-8000-000000000000",
    type: "next",
    payload: { data: { notificationReceived: notification(nth) } },
  });
const server = createServer((request, response) => {
  const url = new URL(request.url!, "http://localhost");
  const at = performance.timeOrigin + performance.now();
  const isBurst = url.pathname === "/burst";
  if (url.pathname === "/rss") return void response.end(String(Deno.memoryUsage().rss));
  if (url.pathname === "/subscribed") return void response.end(String(all.length));
  const count = isBurst ? Number(url.searchParams.get("count")) : 1;
  const first = isBurst ? 0 : Number(url.searchParams.get("nth"));
  const frames = Array.from({ length: count }, (_, nth) => frameOf(first + nth));
  for (const { client, raw } of all) {
    raw.cork();
    for (const frame of frames) client.send(frame);
    raw.uncork();
  }
  response.end(String(at));
});
server.on("upgrade", (request, raw, head) => {
  sockets.handleUpgrade(request, raw, head, (client) => {
    all.push({ client, raw });
    client.on("message", () => client.send('{"type":"connection_ack"}'));
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
