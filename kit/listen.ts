/** HTTP and WebSocket on one port: node:http, since `ws` needs the raw socket of an upgrade. */

import { getRequestListener } from "@hono/node-server";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ErrorCode } from "./errors.ts";
import type { App } from "./http.ts";
import type { Listener } from "./service.ts";
import { SECOND } from "./time.ts";

/** The head of a request must be there within this time, and all of it within the next, in milliseconds; 408 then. */
const HEADERS_LIMIT_MS = 10 * SECOND;
const REQUEST_LIMIT_MS = 15 * SECOND;
/** How often that is looked at. */
const LIMITS_INTERVAL_MS = SECOND;

/** All WebSockets of a process. */
export interface Sockets {
  /** Refuses new sockets and sends the present ones elsewhere; resolves when they are closed and nothing of theirs is in flight. */
  drain(): Promise<void>;
  /** Cuts off what is still open. */
  close(): void;
}

/** Answers a request past the app. Whether it takes it; where it doesn't, nothing was read of it. */
export type ShortWay = (request: IncomingMessage, response: ServerResponse) => boolean;

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

/** For an `error` of a raw socket that nobody else listens to. */
export function destroy(this: Duplex): void {
  this.destroy();
}

/** Answers an upgrade with an error, and closes. */
export function refuse(raw: Duplex, status: number, code: ErrorCode, error: string, retryAfterSeconds?: number): void {
  const body = JSON.stringify({ error, code, retryAfterSeconds });
  const retryAfter = retryAfterSeconds === undefined ? "" : `retry-after: ${retryAfterSeconds}\r\n`;
  raw.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${retryAfter}connection: close\r\n\r\n${body}`,
  );
}
