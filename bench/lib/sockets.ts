/**
 * Many WebSockets of one process, read as bytes: a load generator that must not be the bottleneck parses no JSON, and answers pings. It
 * counts frames, and of each finds the number in `"message":"…"`, which stands at the same place in all of one server.
 */

import { joined } from "./joined.ts";

const OPCODE_PING = 9;
const OPCODE_CLOSE = 8;
const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
const MARK = encoder.encode('"message":"');

export class BenchSocket {
  #rest: Uint8Array<ArrayBuffer> | undefined;
  closedWith: number | undefined;

  private constructor(
    private readonly connection: Deno.TcpConn,
    private readonly onFrame: (payload: Uint8Array, socket: BenchSocket) => void,
  ) {}

  static async open(
    url: string,
    protocol: string,
    onFrame: (payload: Uint8Array, socket: BenchSocket) => void,
  ): Promise<BenchSocket> {
    const { hostname, port, pathname, host } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    connection.setNoDelay(true);
    const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
    await writeAll(
      connection,
      encoder.encode(
        `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: ${key}\r\n` +
          `sec-websocket-version: 13\r\n${protocol === "" ? "" : `sec-websocket-protocol: ${protocol}\r\n`}\r\n`,
      ),
    );
    const socket = new BenchSocket(connection, onFrame);
    await socket.#readHead();
    return socket;
  }

  send(message: unknown): Promise<void> {
    return this.#write(1, encoder.encode(typeof message === "string" ? message : JSON.stringify(message)));
  }

  /** Reads until the server closes. */
  async read(buffer: Uint8Array<ArrayBuffer>): Promise<void> {
    for (;;) {
      const read = await this.connection.read(buffer).catch(() => null);
      if (read === null) return;
      this.#take(buffer.subarray(0, read));
    }
  }

  close(): void {
    try {
      this.connection.close();
    } catch {
      // The server was faster.
    }
  }

  async #readHead(): Promise<void> {
    const buffer = new Uint8Array(4096);
    let length = 0;
    let end = -1;
    while (end < 0) {
      const read = await this.connection.read(buffer.subarray(length));
      if (read === null) throw new Error("no handshake");
      length += read;
      // A character for each byte.
      end = latin1.decode(buffer.subarray(0, length)).indexOf("\r\n\r\n");
    }
    const head = latin1.decode(buffer.subarray(0, end));
    if (!head.startsWith("HTTP/1.1 101")) throw new Error(head.split("\r\n")[0]);
    // Frames may come with it.
    if (end + 4 < length) this.#take(buffer.slice(end + 4, length));
  }

  #take(chunk: Uint8Array<ArrayBuffer>): void {
    const bytes = joined(this.#rest, chunk);
    this.#rest = undefined;
    let at = 0;
    while (at + 2 <= bytes.length) {
      let length = bytes[at + 1]! & 0x7f;
      let head = 2;
      if (length === 126) {
        if (at + 4 > bytes.length) break;
        length = bytes[at + 2]! << 8 | bytes[at + 3]!;
        head = 4;
      } else if (length === 127) {
        if (at + 10 > bytes.length) break;
        length = new DataView(bytes.buffer, bytes.byteOffset + at + 6).getUint32(0);
        head = 10;
      }
      if (at + head + length > bytes.length) break;
      const opcode = bytes[at]! & 0x0f;
      const payload = bytes.subarray(at + head, at + head + length);
      if (opcode === OPCODE_PING) this.#write(10, payload).catch(() => {});
      else if (opcode === OPCODE_CLOSE) this.closedWith = payload[0]! << 8 | payload[1]!;
      else this.onFrame(payload, this);
      at += head + length;
    }
    if (at < bytes.length) this.#rest = bytes.slice(at);
  }

  /** Masked with zeros, which leaves the payload as it is. */
  #write(opcode: number, payload: Uint8Array): Promise<void> {
    const head = payload.length < 126
      ? [0x80 | opcode, 0x80 | payload.length]
      : [0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff];
    const frame = new Uint8Array(head.length + 4 + payload.length);
    frame.set(head);
    frame.set(payload, head.length + 4);
    return writeAll(this.connection, frame);
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

/** Where the number of the message begins in frames of one layout; looked for anew where it isn't there. */
export class MessageNumbers {
  #at = -1;

  /** -1 where there is none. */
  of(payload: Uint8Array): number {
    if (!this.#isMark(payload, this.#at)) this.#at = this.#find(payload);
    if (this.#at < 0) return -1;
    let number = 0;
    for (let at = this.#at + MARK.length; at < payload.length; at++) {
      const digit = payload[at]! - 48;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    return number;
  }

  #find(payload: Uint8Array): number {
    for (let at = 0; at < payload.length - MARK.length; at++) if (this.#isMark(payload, at)) return at;
    return -1;
  }

  #isMark(payload: Uint8Array, at: number): boolean {
    if (at < 0 || at + MARK.length > payload.length) return false;
    for (let index = 0; index < MARK.length; index++) if (payload[at + index] !== MARK[index]) return false;
    return true;
  }
}
