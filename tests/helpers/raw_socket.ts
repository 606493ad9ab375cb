/** A WebSocket byte by byte, for what no library's client does: broken frames, and not reading. */

import { Buffer } from "node:buffer";
import type { Frame } from "./client.ts";

const NO_MASK = new Uint8Array(4);

export interface Closed {
  /** 1006: the connection ended without a close frame. 1005: a close frame without a code. */
  readonly code: number;
  readonly reason: string;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly opcode?: number;
  readonly masked?: boolean;
  readonly reserved?: number;
}

export class RawSocket implements Disposable {
  /** The status of the answer to the upgrade, and its text. */
  status = 0;
  head = "";
  readonly messages: Frame[] = [];
  /** Sees each message as it comes, instead of `messages` where it is set. */
  onText: ((text: string) => void) | undefined;
  pings = 0;
  readonly closed: Promise<Closed>;
  isClosed = false;
  #writing = Promise.resolve();
  #isReading = true;
  #resume = () => {};
  #wake = () => {};
  readonly #buffer = Buffer.alloc(64 * 1024);
  #rest: Buffer = Buffer.alloc(0);
  #fragments = "";

  private constructor(private readonly tcp: Deno.TcpConn, private readonly echoes: boolean) {
    this.closed = this.#read().catch(() => ({ code: 1006, reason: "" })).then((closed) => {
      this.isClosed = true;
      this.#wake();
      this.#close();
      return closed;
    });
  }

  /** Asks for an upgrade; resolves with the answer, whatever it is. `echoes`: it answers pings and closes, as a client has to. */
  static async connect(
    url: string,
    { protocol = "graphql-transport-ws", headers = "", echoes = true } = {},
  ): Promise<RawSocket> {
    const { hostname, port, pathname } = new URL(url);
    const tcp = await Deno.connect({ hostname, port: Number(port) });
    tcp.setNoDelay(true);
    const socket = new RawSocket(tcp, echoes);
    await socket.write(Buffer.from(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        `${protocol === "" ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`}${headers}\r\n`,
    ));
    await socket.until(() => socket.status !== 0);
    return socket;
  }

  /** One that has its acknowledgement. */
  static async open(url: string, token?: string, options: { echoes?: boolean } = {}): Promise<RawSocket> {
    const socket = await RawSocket.connect(url, options);
    const payload = token === undefined ? {} : { authorization: `Bearer ${token}` };
    await socket.send({ type: "connection_init", payload });
    await socket.until(() => socket.messages.some(({ type }) => type === "connection_ack"));
    return socket;
  }

  /** Messages in one write, so that they arrive together; as JSON unless they are text already. */
  send(...messages: unknown[]): Promise<void> {
    const texts = messages.map((message) => typeof message === "string" ? message : JSON.stringify(message));
    return this.write(Buffer.concat(texts.map((text) => frameOf(Buffer.from(text)))));
  }

  frame(payload: Uint8Array, options?: FrameOptions): Promise<void> {
    return this.write(frameOf(payload, options));
  }

  /** Bytes as they are, one write behind the other; what can't be written to a closed connection is nobody's loss. */
  write(bytes: Uint8Array): Promise<void> {
    const write = async () => {
      for (let at = 0; at < bytes.length;) at += await this.tcp.write(bytes.subarray(at));
    };
    return this.#writing = this.#writing.then(write).catch(() => {});
  }

  stopReading(): void {
    this.#isReading = false;
  }

  goOnReading(): void {
    this.#isReading = true;
    this.#resume();
  }

  async until(holds: () => boolean, limitMs = 10_000): Promise<void> {
    const giveUpAt = Date.now() + limitMs;
    while (!holds()) {
      if (this.isClosed) throw new Error("the socket was closed");
      const leftMs = giveUpAt - Date.now();
      if (leftMs <= 0) throw new Error(`not within ${limitMs} ms; there is ${JSON.stringify(this.messages.slice(-5))}`);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, leftMs);
        this.#wake = resolve;
      });
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    try {
      this.tcp.close();
    } catch {
      // It is closed.
    }
  }

  async #read(): Promise<Closed> {
    for (;;) {
      if (!this.#isReading) await new Promise<void>((resolve) => this.#resume = resolve);
      const count = await this.tcp.read(this.#buffer);
      if (count === null) return { code: 1006, reason: "" };
      this.#rest = Buffer.concat([this.#rest, this.#buffer.subarray(0, count)]);
      const closed = this.status === 0 ? this.#takeHead() : this.#takeFrames();
      this.#wake();
      if (closed !== undefined) return closed;
    }
  }

  #takeHead(): Closed | undefined {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    this.head = this.#rest.toString();
    this.status = Number(/^HTTP\/1.1 (\d+)/.exec(this.head)![1]);
    this.#rest = this.#rest.subarray(end + 4);
    return this.#takeFrames();
  }

  #takeFrames(): Closed | undefined {
    if (this.status !== 101) return undefined;
    for (;;) {
      const rest = this.#rest;
      if (rest.length < 2) return undefined;
      const short = rest[1]! & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < header) return undefined;
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < header + length) return undefined;
      const payload = rest.subarray(header, header + length);
      this.#rest = rest.subarray(header + length);
      const closed = this.#take(rest[0]! & 0x0f, (rest[0]! & 0x80) !== 0, payload);
      if (closed !== undefined) return closed;
    }
  }

  #take(opcode: number, fin: boolean, payload: Buffer): Closed | undefined {
    if (opcode === 8) {
      if (this.echoes) void this.frame(payload, { opcode: 8 });
      return payload.length === 0
        ? { code: 1005, reason: "" }
        : { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
    }
    if (opcode === 9) {
      this.pings++;
      if (this.echoes) void this.frame(payload, { opcode: 10 });
    }
    if (opcode > 2) return undefined;
    this.#fragments += payload.toString();
    if (!fin) return undefined;
    const text = this.#fragments;
    this.#fragments = "";
    if (this.onText !== undefined) this.onText(text);
    else this.messages.push(JSON.parse(text));
    return undefined;
  }
}

function frameOf(
  payload: Uint8Array,
  { fin = true, opcode = 1, masked = true, reserved = 0 }: FrameOptions = {},
): Buffer {
  const mask = masked ? 0x80 : 0;
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | reserved << 4 | opcode;
  let size = 2;
  if (payload.length < 126) head[1] = mask | payload.length;
  else if (payload.length < 65_536) {
    head[1] = mask | 126;
    size = head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = mask | 127;
    size = head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head.subarray(0, size), masked ? NO_MASK : Buffer.alloc(0), payload]);
}
