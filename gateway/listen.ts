/** HTTP and WebSocket on one port: node:http, since `ws` needs the raw socket of an upgrade. */

import { getRequestListener } from "@hono/node-server";
import { createServer, type Server } from "node:http";
import type { App } from "../kit/http.ts";
import type { Listener } from "../kit/service.ts";
import { SECOND } from "../kit/time.ts";
import type { ShortWay } from "./short_way.ts";
import type { Sockets } from "./delivery/sockets.ts";

/** The head of a request must be there within this time, and all of it within the next, in milliseconds; 408 then. */
const HEADERS_LIMIT_MS = 10 * SECOND;
const REQUEST_LIMIT_MS = 15 * SECOND;
/** How often that is looked at. */
const LIMITS_INTERVAL_MS = SECOND;

export interface ListenOptions {
  readonly short?: ShortWay;
  /** From then on each connection is closed behind its next answer, so that its client doesn't lose what it sends last. */
  readonly leaving?: AbortSignal;
}

export function listenWithSockets(
  serveSockets: (server: Server) => Sockets,
  { short = () => false, leaving }: ListenOptions = {},
) {
  return async (app: App, hostname: string, port: number): Promise<Listener> => {
    const long = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    const server = createServer(
      {
        headersTimeout: HEADERS_LIMIT_MS,
        requestTimeout: REQUEST_LIMIT_MS,
        connectionsCheckingInterval: LIMITS_INTERVAL_MS,
        keepAliveTimeout: 65 * SECOND,
      },
      (request, response) => {
        if (leaving?.aborted) response.shouldKeepAlive = false;
        void (short(request, response) || long(request, response));
      },
    );
    const sockets = serveSockets(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, hostname, resolve);
    });
    return {
      port: (server.address() as { port: number }).port,
      drain() {
        const requests = new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
        });
        return Promise.all([sockets.drain(), requests]).then(() => {});
      },
      close() {
        sockets.close();
        server.closeAllConnections();
      },
    };
  };
}
