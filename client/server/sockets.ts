/**
 * The way to a gateway for the app's WebSockets: each of them is one to a gateway, frame by frame. Only `connection_init` is changed: it
 * gets the session's token, which the app doesn't know. Pings of the gateway go through to the browser and their answers back, so it is
 * the gateway that notices a dead one; close codes go through as well.
 */

import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { reason } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { destroy, refuse, type Sockets } from "../../kit/listen.ts";
import type { Logger } from "../../kit/log.ts";
import type { Origins } from "../../kit/origins.ts";
import { SECOND } from "../../kit/time.ts";
import { gaugeSockets } from "./metrics.ts";
import type { Gateways } from "./gateways.ts";
import type { SessionCookie } from "./session_cookie.ts";

const PROTOCOL = "graphql-transport-ws";
/** The largest frame of a browser, in bytes. The gateway's own limit is lower. */
const FRAME_LIMIT_BYTES = 1024 * 1024;
const HANDSHAKE_LIMIT_MS = 5 * SECOND;
/** What may wait for a side that reads slowly, in bytes: the other side is not read meanwhile. */
const MOST_WAITING_BYTES = 256 * 1024;
/** The gateway can't be reached any more, or the browser: the other side comes back. */
const LOST = 1012;

export interface SocketsOptions {
  readonly gateways: Gateways;
  readonly cookie: SessionCookie;
  readonly origins: Origins;
  readonly log: Logger;
}

export function serveSockets(server: Server, options: SocketsOptions): Sockets {
  const { gateways, cookie, origins, log } = options;
  const upgrader = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_LIMIT_BYTES,
    handleProtocols: (offered) => offered.has(PROTOCOL) ? PROTOCOL : false,
  });
  const open = new Set<WebSocket>();
  let draining = false;
  gaugeSockets(() => open.size);

  server.on("upgrade", async (request: IncomingMessage, raw: Duplex, head: Buffer) => {
    raw.on("error", destroy);
    if (request.url?.split("?")[0] !== "/graphql") return refuse(raw, 404, "NOT_FOUND", "no such route");
    if (draining) return refuse(raw, 503, "SERVICE_UNAVAILABLE", "this client server stops");
    if (!origins.isAllowed(request.headers.origin, request.headers.host)) {
      return refuse(raw, 403, "FORBIDDEN", "this Origin is not allowed");
    }
    let gateway: WebSocket;
    try {
      const before = request.headers["x-forwarded-for"];
      const address = request.socket.remoteAddress ?? "";
      gateway = await connect(gateways, gateways.forwarded(address, before === undefined ? undefined : `${before}`));
    } catch (error) {
      const { code, message } = error as UserError;
      return refuse(raw, code === "RATE_LIMITED" ? 429 : 503, code, message, 1);
    }
    if (raw.destroyed) return gateway.terminate();
    upgrader.handleUpgrade(request, raw, head, (browser) => {
      open.add(browser);
      browser.once("close", () => open.delete(browser));
      join(browser, gateway, cookie.token(request.headers.cookie), log);
    });
  });

  return {
    drain() {
      draining = true;
      for (const browser of open) browser.close(LOST, "restarting");
      return Promise.all([...open].map((one) => new Promise((resolve) => one.once("close", resolve)))).then(() => {});
    },
    close() {
      for (const browser of open) browser.terminate();
    },
  };
}

/** A socket to the first gateway that takes one. @throws UserError `RATE_LIMITED`, `SERVICE_UNAVAILABLE` */
async function connect(gateways: Gateways, headers: Record<string, string>): Promise<WebSocket> {
  let last: unknown;
  for (const url of gateways.inOrder()) {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/graphql`, PROTOCOL, {
      headers,
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      perMessageDeflate: false,
      autoPong: false,
    } as ClientOptions);
    // Nothing is lost between its opening and our listening to it.
    socket.pause();
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("open", resolve);
        socket.once("error", reject);
        socket.once("unexpected-response", (_, { statusCode }) => {
          const code = statusCode === 429 ? "RATE_LIMITED" : "SERVICE_UNAVAILABLE";
          reject(new UserError(code, `a gateway takes no further socket just now (${statusCode})`));
        });
      });
      return socket;
    } catch (error) {
      socket.on("error", () => {});
      socket.terminate();
      if (error instanceof UserError && error.code === "RATE_LIMITED") throw error;
      gateways.failed(url);
      last = error;
    }
  }
  throw new UserError("SERVICE_UNAVAILABLE", "no gateway takes a socket just now", {}, last);
}

function join(browser: WebSocket, gateway: WebSocket, token: string | undefined, log: Logger): void {
  let isFirst = true;
  browser.on("message", (data: Buffer, isBinary) => {
    const frame = isFirst ? withToken(data.toString(), token) : isBinary ? data : data.toString();
    isFirst = false;
    pass(gateway, frame, browser);
  });
  gateway.on("message", (data: Buffer, isBinary) => pass(browser, isBinary ? data : data.toString(), gateway));
  gateway.on("ping", (data) => browser.readyState === WebSocket.OPEN && browser.ping(data));
  browser.on("pong", (data) => gateway.readyState === WebSocket.OPEN && gateway.pong(data));
  for (const [one, other] of [[browser, gateway], [gateway, browser]] as const) {
    one.on("error", (error) => log.debug("a socket failed: {error}", { error: reason(error) }));
    one.on("close", (code, why) => closeLike(other, code, why));
  }
  gateway.resume();
}

/** Sends it, and has `from` not read further while too much waits. */
function pass(to: WebSocket, frame: string | Buffer, from: WebSocket): void {
  if (to.readyState !== WebSocket.OPEN) return;
  to.send(frame, () => {
    if (from.isPaused && to.bufferedAmount < MOST_WAITING_BYTES / 2) from.resume();
  });
  if (to.bufferedAmount > MOST_WAITING_BYTES) from.pause();
}

/** The first message with the session's token in it, where it is `connection_init`; any other is the gateway's to refuse. */
function withToken(text: string, token: string | undefined): string {
  if (token === undefined) return text;
  try {
    const message = JSON.parse(text);
    if (message?.type !== "connection_init") return text;
    return JSON.stringify({ ...message, payload: { ...message.payload, authorization: `Bearer ${token}` } });
  } catch {
    return text;
  }
}

/** 1005 and 1006 are of no frame: nobody may send them. */
function closeLike(socket: WebSocket, code: number, why: Buffer): void {
  if (socket.readyState === WebSocket.CLOSED) return;
  if (socket.isPaused) socket.resume();
  if (code === 1006) socket.close(LOST, "the connection was lost");
  else if (code === 1005) socket.close();
  else socket.close(code, why.toString());
}
