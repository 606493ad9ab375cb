/** All WebSockets of a gateway. In: upgrades of the HTTP server. Out: refusals, or sockets that speak graphql-transport-ws, until the stop. */

import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { reason } from "../../kit/directory.ts";
import type { UserError } from "../../kit/errors.ts";
import { destroy, refuse, type Sockets } from "../../kit/listen.ts";
import type { Logger } from "../../kit/log.ts";
import { delay } from "../../kit/time.ts";
import { addressOf } from "../guards/address.ts";
import type { Origins } from "../../kit/origins.ts";
import { type BackendOptions, SocketBackend } from "./backend.ts";
import { drainInBatches } from "./drain.ts";
import { countLimited } from "./limits.ts";
import { Pings } from "./pings.ts";
import type { SocketConfig } from "./settings.ts";
import { createUpgrader, Socket, upgrade } from "./socket.ts";
import { observeSockets } from "./socket_metrics.ts";

/** What part of the stop's time the closing of sockets may take: the rest is for their answers. */
const DRAIN_SHARE = 0.7;
const DRAIN_POLL_MS = 20;

export interface SocketOptions extends BackendOptions {
  readonly origins: Origins;
  readonly config: SocketConfig;
  /** How long the stop may take, in milliseconds. */
  readonly stopMs: number;
  readonly log: Logger;
}

export function serveSockets(server: Server, options: SocketOptions): Sockets {
  const { origins, config, connections, log } = options;
  const { outboxes } = connections;
  const backend = new SocketBackend(options);
  const upgrader = createUpgrader(config.NOTIFYX_SOCKET_COMPRESSION === "on");
  const pings = new Pings();
  const open = new Set<Socket>();
  let draining = false;

  observeSockets(open, connections);
  pings.start();

  const events = {
    onClose(socket: Socket) {
      open.delete(socket);
      pings.remove(socket);
      socket.leave();
    },
    onSlow: () => countLimited("slow"),
    onError: (error: Error) => log.debug("a socket failed: {error}", { error: reason(error) }),
  };

  server.on("upgrade", (request: IncomingMessage, raw: Duplex, head: Uint8Array) => {
    raw.on("error", destroy);
    if (request.url?.split("?")[0] !== "/graphql") return refuse(raw, 404, "NOT_FOUND", "no such route");
    if (draining) return refuse(raw, 503, "SERVICE_UNAVAILABLE", "this gateway stops");
    if (!origins.isAllowed(request.headers.origin, request.headers.host)) {
      return refuse(raw, 403, "FORBIDDEN", "this Origin is not allowed");
    }
    const address = addressOf(request, options.guards.proxies);
    let leave: () => void;
    try {
      leave = connections.take(address);
    } catch (error) {
      const { code, message, extensions } = error as UserError;
      return refuse(raw, code === "RATE_LIMITED" ? 429 : 503, code, message, extensions.retryAfterSeconds as number);
    }
    // A handshake that fails gives no socket.
    raw.once("close", leave);
    upgrade(upgrader, request, raw, head, (client) => {
      raw.removeListener("close", leave);
      const socket = new Socket(client, raw, outboxes, backend, events, address, leave);
      open.add(socket);
      pings.add(socket);
    });
  });

  return {
    async drain() {
      draining = true;
      await drainInBatches([...open].map(({ connection }) => connection), {
        batch: config.NOTIFYX_DRAIN_BATCH,
        intervalMs: config.NOTIFYX_DRAIN_INTERVAL_MS,
        withinMs: options.stopMs * DRAIN_SHARE,
      });
      while (open.size > 0) await delay(DRAIN_POLL_MS);
      await backend.finishMutations();
      pings.stop();
    },
    close() {
      pings.stop();
      for (const socket of open) socket.terminate();
    },
  };
}
