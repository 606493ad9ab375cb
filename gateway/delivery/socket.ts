/** One WebSocket: npm `ws` below, the protocol's connection above, and the outbox in between. The only file that knows what `ws` is. */

import { Buffer, isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { SECOND } from "../../kit/time.ts";
import { CLOSE, type CloseCode } from "./close_codes.ts";
import { type NextPrefix, SUBPROTOCOL } from "./messages.ts";
import { type MessageWriter, Outbox, type Outboxes, type OutboxOwner } from "./outbox.ts";
import type { Pinged } from "./pings.ts";
import { type Backend, Connection } from "./protocol.ts";
import type { Wire } from "./socket_operation.ts";

/** The largest message that a client may send, in bytes: the longest text to the most recipients fits. */
const MESSAGE_LIMIT_BYTES = 256 * 1024;
/** How long a client may take to answer a close, and to read what was written before, in milliseconds. */
const CLOSE_LIMIT_MS = 5 * SECOND;
const encoder = new TextEncoder();

/** Makes WebSockets of upgrades. */
export function createUpgrader(compresses: boolean): WebSocketServer {
  // Its types don't know `closeTimeout` yet.
  const options: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_LIMIT_BYTES,
    perMessageDeflate: compresses,
    handleProtocols: (protocols) => protocols.has(SUBPROTOCOL) && SUBPROTOCOL,
    closeTimeout: CLOSE_LIMIT_MS,
  };
  return new WebSocketServer(options);
}

export function upgrade(
  upgrader: WebSocketServer,
  request: IncomingMessage,
  raw: Duplex,
  head: Uint8Array,
  then: (client: WebSocket) => void,
): void {
  upgrader.handleUpgrade(request, raw, head as never, (client) => {
    if (client.protocol === SUBPROTOCOL) return then(client);
    client.on("error", () => {});
    client.close(CLOSE.subprotocol.code, CLOSE.subprotocol.reason);
  });
}

export interface SocketEvents {
  onClose(socket: Socket): void;
  onSlow(): void;
  onError(error: Error): void;
}

/** What ws calls, with its client as `this`: shared by all sockets, of which ten thousand would have as many closures otherwise. */
type Client = WebSocket & { [SOCKET]?: Socket };
const SOCKET = Symbol("socket");

function onMessage(this: Client, data: RawData, isBinary: boolean): void {
  this[SOCKET]!.onMessage(data as Buffer, isBinary);
}

function onPong(this: Client): void {
  this[SOCKET]!.onProgress();
}

function onClose(this: Client): void {
  this[SOCKET]!.onClose();
}

function onError(this: Client, error: Error): void {
  this[SOCKET]!.onError(error);
}

export class Socket implements Wire, Pinged, OutboxOwner {
  isAlive = true;
  turn = -1;
  readonly connection: Connection;
  readonly #outbox: Outbox;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: WebSocket,
    raw: Duplex,
    outboxes: Outboxes,
    backend: Backend,
    private readonly events: SocketEvents,
    address: string,
    /** Gives back its place among the gateway's connections. */
    readonly leave: () => void,
  ) {
    const writer = client.extensions === "" ? undefined : deflatingWriter(client);
    this.#outbox = new Outbox(outboxes, raw, this, writer);
    this.connection = new Connection(this, backend, address);
    (client as Client)[SOCKET] = this;
    client.on("message", onMessage);
    client.on("pong", onPong);
    client.on("close", onClose);
    client.on("error", onError);
  }

  send(message: string): void {
    this.#outbox.push(null, encoder.encode(message));
  }

  next(prefix: NextPrefix, payload: Uint8Array): void {
    this.#outbox.push(prefix, payload);
  }

  room(): Promise<void> | undefined {
    return this.#outbox.room();
  }

  close({ code, reason }: CloseCode, why = reason): void {
    if (this.#deadline !== undefined) return;
    this.#deadline = setTimeout(() => this.terminate(), CLOSE_LIMIT_MS);
    this.#outbox.end(() => this.client.close(code, why));
  }

  ping(): void {
    this.client.ping();
  }

  terminate(): void {
    this.client.terminate();
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    this.isAlive = true;
    // ws has checked text; what comes as binary is taken too, as graphql-ws takes it.
    if (isBinary && !isUtf8(data)) return this.connection.onMessage("");
    this.connection.onMessage(data.toString());
  }

  onProgress(): void {
    this.isAlive = true;
  }

  onSlow(): void {
    this.events.onSlow();
    this.connection.onClose();
    this.close(CLOSE.slow);
  }

  onClose(): void {
    clearTimeout(this.#deadline);
    this.#outbox.destroy();
    this.connection.onClose();
    this.events.onClose(this);
  }

  /** What a client does to its socket is its own affair; ws closes it with the right code. */
  onError(error: Error): void {
    this.events.onError(error);
  }
}

function deflatingWriter(client: WebSocket): MessageWriter {
  return {
    write(prefix, payload, written) {
      const message = prefix === null ? payload : Buffer.concat([prefix.bytes, payload, CLOSING_BRACE]);
      client.send(message, { binary: false }, written);
    },
    get waitingBytes() {
      return client.bufferedAmount;
    },
  };
}

const CLOSING_BRACE = Buffer.from("}");
