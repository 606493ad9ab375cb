/**
 * WebSocket frames as bytes, unmasked, as a server writes them. In: messages of one socket, in order. Out: one Buffer, which sockets
 * that get the same share.
 */

import { Buffer } from "node:buffer";
import type { NextPrefix } from "./messages.ts";

/** FIN and the opcode of a text message. */
const TEXT = 0x81;
const CLOSING_BRACE = 0x7d;
/** Small writes are parts of one allocation of this size, which a socket that doesn't take its own keeps alive. */
const SLAB_BYTES = 64 * 1024;

/** Messages on their way to one socket. Each is a payload behind the prefix of its operation, or, with no prefix, a message in itself. */
export interface Messages {
  readonly prefixes: (NextPrefix | null)[];
  readonly payloads: Uint8Array[];
}

export function messageLength(prefix: NextPrefix | null, payload: Uint8Array): number {
  return prefix === null ? payload.length : prefix.bytes.length + payload.length + 1;
}

export function frameLength(prefix: NextPrefix | null, payload: Uint8Array): number {
  const length = messageLength(prefix, payload);
  return length + headerLength(length);
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** The frames of the messages from `start` to before `end`, `bytes` in all. */
interface Encoded {
  readonly prefixes: readonly (NextPrefix | null)[];
  readonly payloads: readonly Uint8Array[];
  readonly buffer: Buffer;
  /** Where each prefix begins in `buffer`. */
  readonly offsets: readonly number[];
}

/**
 * Encodes messages into frames, and remembers what it encoded until {@link forget}: of a thousand sockets that get the same payloads
 * those with the same operation ids get the same Buffer, and for the others copying it and writing their ids over it is left.
 */
export class FrameEncoder {
  /** By the first payload. */
  readonly #encoded = new Map<Uint8Array, Encoded>();
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #slabUsed = 0;

  encode(prefixes: readonly (NextPrefix | null)[], payloads: readonly Uint8Array[], bytes: number): Buffer {
    const known = this.#encoded.get(payloads[0]!);
    if (known !== undefined && known.buffer.length === bytes) {
      const likeness = compare(known, prefixes, payloads);
      if (likeness === "same") return known.buffer;
      if (likeness === "other ids") return this.#withPrefixes(known, prefixes);
    }
    const encoded = encodeAll(prefixes, payloads, this.#allocate(bytes));
    this.#encoded.set(payloads[0]!, encoded);
    return encoded.buffer;
  }

  forget(): void {
    this.#encoded.clear();
  }

  #withPrefixes({ buffer, offsets }: Encoded, prefixes: readonly (NextPrefix | null)[]): Buffer {
    const copy = this.#allocate(buffer.length);
    copy.set(buffer);
    for (let index = 0; index < prefixes.length; index++) {
      const prefix = prefixes[index];
      if (prefix) copy.set(prefix.bytes, offsets[index]);
    }
    return copy;
  }

  #allocate(bytes: number): Buffer {
    if (bytes > SLAB_BYTES / 4) return Buffer.allocUnsafeSlow(bytes);
    if (this.#slabUsed + bytes > SLAB_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    return this.#slab.subarray(this.#slabUsed, this.#slabUsed += bytes);
  }
}

function compare(
  known: Encoded,
  prefixes: readonly (NextPrefix | null)[],
  payloads: readonly Uint8Array[],
): "same" | "other ids" | "different" {
  if (known.payloads.length !== payloads.length) return "different";
  let likeness: "same" | "other ids" = "same";
  let theirs: NextPrefix | null = null;
  let ours: NextPrefix | null = null;
  for (let index = 0; index < payloads.length; index++) {
    if (known.payloads[index] !== payloads[index]) return "different";
    const known_ = known.prefixes[index]!;
    const prefix = prefixes[index]!;
    if (known_ === theirs && prefix === ours) continue;
    theirs = known_;
    ours = prefix;
    if (theirs?.id === ours?.id) continue;
    if (theirs?.bytes.length !== ours?.bytes.length) return "different";
    likeness = "other ids";
  }
  return likeness;
}

function encodeAll(
  prefixes: readonly (NextPrefix | null)[],
  payloads: readonly Uint8Array[],
  buffer: Buffer,
): Encoded {
  const offsets: number[] = [];
  let at = 0;
  for (let index = 0; index < payloads.length; index++) {
    const prefix = prefixes[index]!;
    const payload = payloads[index]!;
    at = writeHeader(buffer, at, messageLength(prefix, payload));
    offsets.push(at);
    if (prefix !== null) {
      buffer.set(prefix.bytes, at);
      at += prefix.bytes.length;
    }
    buffer.set(payload, at);
    at += payload.length;
    if (prefix !== null) buffer[at++] = CLOSING_BRACE;
  }
  return { prefixes, payloads, buffer, offsets };
}

function writeHeader(buffer: Buffer, at: number, length: number): number {
  buffer[at] = TEXT;
  if (length < 126) {
    buffer[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    buffer[at + 1] = 126;
    return buffer.writeUInt16BE(length, at + 2);
  }
  buffer[at + 1] = 127;
  buffer.writeUInt32BE(0, at + 2);
  return buffer.writeUInt32BE(length, at + 6);
}
