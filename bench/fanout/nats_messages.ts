/**
 * What nats-server says, out of the frames of its WebSocket: a stream of protocol messages that knows no frames, so that one frame may hold
 * several of them, or a part of one. In: payloads of frames. Out: payloads of MSG, and the names of the others.
 */

import { joined } from "../lib/joined.ts";

const CR = 13;
const SPACE = 32;
const M = "M".charCodeAt(0);
const decoder = new TextDecoder();

export interface NatsReader {
  onMessage(payload: Uint8Array): void;
  /** INFO, PING, PONG or +OK. */
  onOther(name: string): void;
}

export class NatsMessages {
  #rest: Uint8Array | undefined;

  constructor(private readonly reader: NatsReader) {}

  /** @throws Error where the server says that something is wrong */
  take(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    this.#rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(CR, at);
      // A line ends with CR and LF.
      if (end < 0 || end + 2 > bytes.length) break;
      const next = end + 2;
      if (bytes[at] !== M) {
        this.#takeOther(decoder.decode(bytes.subarray(at, end)));
        at = next;
        continue;
      }
      // MSG subject sid [reply-to] #bytes
      const size = numberAt(bytes, bytes.lastIndexOf(SPACE, end) + 1, end);
      if (next + size + 2 > bytes.length) break;
      this.reader.onMessage(bytes.subarray(next, next + size));
      at = next + size + 2;
    }
    if (at < bytes.length) this.#rest = bytes.slice(at);
  }

  #takeOther(line: string): void {
    if (line.startsWith("-ERR")) throw new Error(`nats-server says ${line}`);
    this.reader.onOther(line.split(" ")[0]!);
  }
}

function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at++) number = number * 10 + bytes[at]! - 48;
  return number;
}
