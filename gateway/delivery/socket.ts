/**
 * GraphQL over WebSocket: the graphql-transport-ws protocol on npm `ws`, the only file that names it. In: upgrades of the HTTP server.
 * Out: frames. Next: the client.
 */

import { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type ExecutionArgs, GraphQLError } from "graphql";
import { CloseCode, GRAPHQL_TRANSPORT_WS_PROTOCOL } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { Gauge } from "prom-client";
import { WebSocketServer } from "ws";
import { reason } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { type DocumentCache, executionArgs, maskError } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";
import { registry } from "../../kit/metrics.ts";
import { SECOND } from "../../kit/time.ts";
import { Caller } from "../caller.ts";
import type { Origins } from "../origins.ts";
import { bearerToken, type Sessions } from "../sessions.ts";

/** The largest frame that a client may send, in bytes: the longest message to the most recipients fits. */
const FRAME_LIMIT_BYTES = 256 * 1024;
/** The longest id of an operation, in bytes: graphql-ws puts it into the reason of a 4409, which takes no more. */
const ID_LIMIT_BYTES = 123 - "Subscriber for  already exists".length;
/** Between two pings, in milliseconds; a socket that hasn't answered by the next is dead. */
const PING_EVERY_MS = 12 * SECOND;
/** How long a client may take to say connection_init, in milliseconds; 4408 then. */
const INIT_LIMIT_MS = 3 * SECOND;
/** The service restarts: graphql-ws clients come back after this one. */
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;

const sockets = new Gauge({
  name: "notifyx_delivery_sockets",
  help: "WebSockets that are open on this gateway",
  registers: [registry],
});

export interface SocketOptions {
  readonly documents: () => DocumentCache;
  readonly sessions: Sessions;
  readonly origins: Origins;
  readonly log: Logger;
}

export interface Sockets {
  /** Refuses new sockets and sends the present ones elsewhere. */
  drain(): void;
  /** Cuts off what is still open. */
  close(): void;
}

interface Extra extends Record<PropertyKey, unknown> {
  caller?: Caller;
}

export function serveSockets(server: Server, { documents, sessions, origins, log }: SocketOptions): Sockets {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_LIMIT_BYTES,
    perMessageDeflate: false,
    handleProtocols: (protocols) => protocols.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) && GRAPHQL_TRANSPORT_WS_PROTOCOL,
  });
  let draining = false;

  useServer<Record<string, unknown>, Extra>(
    {
      connectionInitWaitTimeout: INIT_LIMIT_MS,
      // Otherwise the text of an internal error is the reason of a 4500.
      isProd: true,
      async onConnect(context) {
        try {
          const token = bearerToken(context.connectionParams?.authorization ?? context.connectionParams?.Authorization);
          const caller = new Caller(sessions, token, crypto.randomUUID());
          await caller.session();
          context.extra.caller = caller;
          return true;
        } catch (error) {
          if (error instanceof UserError && error.code === "UNAUTHENTICATED") return false;
          log.warning("a socket's session can't be checked: {error}", { error: reason(error) });
          context.extra.socket.close(TRY_AGAIN_LATER, "try again later");
          return new Promise<boolean>(() => {});
        }
      },
      onSubscribe(context, id, payload): ExecutionArgs | readonly GraphQLError[] {
        if (Buffer.byteLength(id) > ID_LIMIT_BYTES) {
          const why = `an id takes at most ${ID_LIMIT_BYTES} bytes`;
          context.extra.socket.close(CloseCode.BadRequest, why);
          return [new UserError("BAD_USER_INPUT", why)];
        }
        const cache = documents();
        const checked = cache.check(payload.query);
        if ("errors" in checked) return checked.errors;
        return executionArgs(checked, payload as never, context.extra.caller);
      },
      onNext: (_context, _id, _payload, _args, result) => {
        if (result.errors === undefined) return undefined;
        return { ...result, errors: result.errors.map((error) => maskError(error, log).toJSON()) };
      },
      onError(context, _id, _payload, errors) {
        const { socket } = context.extra;
        // It broke while it was written to: nobody reads this, and nothing failed here.
        if (socket.readyState !== socket.OPEN) return [{ message: "the socket is closed" }];
        return errors.map((error) => maskError(error as GraphQLError, log).toJSON());
      },
    },
    wss,
    PING_EVERY_MS,
  );

  wss.on("connection", (socket) => {
    sockets.set(wss.clients.size);
    socket.on("close", () => sockets.set(wss.clients.size));
    // What a client does to its socket is its own affair; ws closes it with the right code. graphql-ws would print the stack.
    socket.removeAllListeners("error");
    socket.on("error", (error) => log.debug("a socket failed: {error}", { error: reason(error) }));
  });

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    socket.on("error", () => socket.destroy());
    const path = request.url?.split("?")[0];
    if (path !== "/graphql") return refuse(socket, 404, "no such route");
    if (draining) return refuse(socket, 503, "this gateway stops");
    if (!origins.isAllowed(request.headers.origin, request.headers.host)) {
      return refuse(socket, 403, "this Origin is not allowed");
    }
    wss.handleUpgrade(request, socket, head as never, (client) => {
      if (client.protocol !== GRAPHQL_TRANSPORT_WS_PROTOCOL) {
        return client.close(CloseCode.SubprotocolNotAcceptable, "Subprotocol not acceptable");
      }
      wss.emit("connection", client, request);
    });
  });

  return {
    drain() {
      draining = true;
      for (const client of wss.clients) client.close(SERVICE_RESTART, "restarting");
    },
    close() {
      for (const client of wss.clients) client.terminate();
    },
  };
}

function refuse(socket: Duplex, status: number, why: string): void {
  const code = status === 403 ? "FORBIDDEN" : status === 404 ? "NOT_FOUND" : "SERVICE_UNAVAILABLE";
  const body = JSON.stringify({ error: why, code });
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
