/**
 * A server that behaves badly, each connection in its own way, as a run's script says; when the script is at its end it behaves. It has
 * notifications numbered from 1, whose cursors are `c1`, `c2`, …, and gives a few of them before each mishap.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

export interface Script {
  /** What becomes of each connection, in their order; the last of them stays, or with `forever` all go on like the last. */
  readonly connections: readonly string[];
  readonly forever?: boolean;
  /** How many notifications there are, and how many a connection gets before its mishap. */
  readonly total: number;
  readonly each: number;
  /** Cursors before this one have expired. */
  readonly oldest?: number;
  /** What becomes of each send, in the order in which they come. */
  readonly sends?: readonly string[];
}

const HALF_OPEN_MS = 2_000;

class Run {
  connections = 0;
  open = 0;
  sendTries = 0;
  /** Messages by their idempotency keys: what was done, once. */
  readonly sent = new Map<string, string>();
  readonly inFlight = new Set<{ number: number }>();

  constructor(readonly script: Script) {}

  mishap(): string | undefined {
    const { connections, forever } = this.script;
    return connections[this.connections++] ?? (forever ? connections.at(-1) : undefined);
  }
}

export class BadServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #runs: Run[] = [];
  readonly #web = new WebSocketServer({ noServer: true, handleProtocols: () => "graphql-transport-ws" });

  private constructor() {
    this.#server = createServer((request, response) => {
      // Its client may leave in the middle of what it asks.
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket as Socket, head));
  }

  static async start(): Promise<BadServer> {
    const server = new BadServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #runOf({ url }: IncomingMessage): Run {
    return this.#runs[Number(/\/run\/(\d+)/.exec(url!)?.[1])]!;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const piece of request) body += piece;
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    if (request.url === "/runs") return json(this.#runs.push(new Run(JSON.parse(body))) - 1);
    const run = this.#runOf(request);
    if (request.method === "GET") {
      const { connections, open, sendTries, sent } = run;
      return json({ connections, open, sendTries, sent: [...sent.values()] });
    }
    const { query, variables } = JSON.parse(body);
    if (query.includes("feedCursor")) return json({ data: { feedCursor: "c0" } });
    if (query.includes("sendNotification")) return this.#send(run, variables, json, response);
    const { total } = run.script;
    const edges = [{ cursor: `c${total}`, node: notification(total) }];
    json({ data: { page: { edges, pageInfo: { hasNextPage: true, endCursor: `c${total}` } } } });
  }

  #send(
    run: Run,
    { message, idempotencyKey }: { message: string; idempotencyKey: string },
    json: (value: unknown, status?: number) => void,
    response: ServerResponse,
  ): void {
    const mishap = run.script.sends?.[run.sendTries++];
    const failed = (code: string, more = {}) => json({ errors: [{ message: code, extensions: { code, ...more } }] });
    switch (mishap) {
      case "cut":
        return void response.destroy();
      case "silence":
        return;
      case "busy":
        return failed("TOO_MANY_REQUESTS", { retryAfterSeconds: 0.05 });
      case "away":
        return failed("SERVICE_UNAVAILABLE");
      case "refused":
        return failed("FORBIDDEN");
      case "proxy":
        response.writeHead(502, { "content-type": "text/html" });
        return void response.end("<h1>Bad Gateway</h1>");
    }
    if (!run.sent.has(idempotencyKey)) run.sent.set(idempotencyKey, message);
    if (mishap === "done and cut") return void response.destroy();
    if (mishap === "done and broken") return failed("INTERNAL");
    json({ data: { done: { ...notification(1), message } } });
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Uint8Array): void {
    const run = this.#runOf(request);
    const mishap = run.mishap();
    if (mishap === "never upgraded") return;
    if (mishap === "refused") return void socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n");
    this.#web.handleUpgrade(request, socket, head as never, (web) => {
      run.open++;
      web.on("close", () => run.open--);
      web.on("error", () => {});
      web.on("message", (data) => this.#hear(run, mishap, web, socket, JSON.parse(`${data}`)));
    });
  }

  #hear(
    run: Run,
    mishap: string | undefined,
    web: WebSocket,
    socket: Socket,
    { type, id, payload }: { type: string; id: string; payload: { variables: { after?: string } } },
  ): void {
    const say = (message: unknown) => web.send(typeof message === "string" ? message : JSON.stringify(message));
    if (type === "ping") return mishap === "silent" ? undefined : say({ type: "pong" });
    if (type === "connection_init") {
      if (mishap === "never acknowledged") return;
      if (mishap === "no acknowledgement first") return say({ type: "next", id: "1", payload: {} });
      return say({ type: "connection_ack" });
    }
    if (type !== "subscribe") return;
    const { total, each, oldest = 0 } = run.script;
    const after = Number(payload.variables.after?.slice(1));
    const failed = (code: string, more = {}) =>
      say({ type: "error", id, payload: [{ message: code, extensions: { code, ...more } }] });
    if (after < oldest) return failed("CURSOR_EXPIRED", { oldestCursor: `c${oldest}` });
    const upTo = mishap === undefined ? total : Math.min(total, after + each);
    for (let number = after + 1; number <= upTo; number++) say(next(id, number));
    if (mishap === undefined) return;
    if (/^\d+$/.test(mishap)) return web.close(Number(mishap), "as the script says");
    if (/^[A-Z_]+$/.test(mishap)) return failed(mishap, { retryAfterSeconds: 0.02 });
    ({
      "no JSON": () => say("no JSON"),
      "a list": () => say("[]"),
      "another type": () => say({ type: "hello" }),
      "binary": () => web.send(new Uint8Array([1, 2, 3])),
      "no payload": () => say({ type: "next", id }),
      "errors that are no list": () => say({ type: "error", id, payload: "broken" }),
      "nobody's": () => (say({ type: "next", id: "nobody", payload: { data: {} } }), web.close(1012)),
      "no data": () => say({ type: "next", id, payload: { data: null } }),
      "nothing in it": () => say({ type: "next", id, payload: { data: { item: null } } }),
      "again": () => {
        for (let number = Math.max(1, upTo - 3); number <= upTo; number++) say(next(id, number));
        web.close(1001);
      },
      "cut": () => socket.resetAndDestroy(),
      // For a while it takes and says nothing, not even the answer to a close.
      "half open": () => (socket.pause(), setTimeout(() => socket.resume(), HALF_OPEN_MS)),
      "silent": () => {},
    })[mishap]!();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function next(id: string, number: number) {
  return { type: "next", id, payload: { data: { item: notification(number) } } };
}

function notification(number: number) {
  return { id: `n${number}`, message: `number ${number}`, cursor: `c${number}`, status: "SENT" };
}
