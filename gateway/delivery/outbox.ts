/**
 * What is on its way to one socket. In: messages. Out: frames, written to the raw socket, all that one turn of the event loop brings
 * in one write. Next: the kernel, and the client.
 *
 * One write is in flight at a time. What comes while the kernel takes no more waits here, as references to payloads that all sockets
 * share, up to a bound; over it the client is `slow`: what waits is dropped, from the end of its stream, and the socket closed.
 */

import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { FrameEncoder, frameLength } from "./frames.ts";
import type { NextPrefix } from "./messages.ts";

/** So much is written without waiting for the end of the turn, and in one write at most (or one frame), in bytes. */
const WRITE_BYTES = 128 * 1024;

export interface OutboxLimits {
  /** How many bytes may wait for one socket. A single message may be larger. */
  readonly socketBytes: number;
  /** And for all of them. */
  readonly totalBytes: number;
}

/** What all outboxes share: who has something to write at the end of this turn, and how much waits in all. */
export class Outboxes {
  readonly #encoder = new FrameEncoder();
  /** Bytes that wait for sockets which don't take them just now. */
  waitingBytes = 0;
  frames = 0;
  bytes = 0;
  slow = 0;
  readonly #waiting = new Set<Outbox>();
  #dirty: Outbox[] = [];
  #onFlushed: (() => void)[] = [];
  #scheduled = false;

  constructor(readonly limits: OutboxLimits) {}

  /** Has it written at the end of this turn. At the end of a microtask it would be a write for each event: measured, an eighth as many frames. */
  mark(outbox: Outbox): void {
    this.#dirty.push(outbox);
    this.#schedule();
  }

  /** `then` is called at the end of this turn, when all that was marked in it has been written as far as it can be. */
  whenWritten(then: () => void): void {
    this.#onFlushed.push(then);
    this.#schedule();
  }

  /** As {@link FrameEncoder.encode}; what is remembered of it is let go of at the end of this turn, also where nothing was marked. */
  encode(prefixes: readonly (NextPrefix | null)[], payloads: readonly Uint8Array[], bytes: number): Buffer {
    this.#schedule();
    return this.#encoder.encode(prefixes, payloads, bytes);
  }

  /** `by` more bytes wait for `outbox`, or less. */
  account(outbox: Outbox, by: number): void {
    this.waitingBytes += by;
    if (outbox.waitingBytes > 0) this.#waiting.add(outbox);
    else this.#waiting.delete(outbox);
    if (by > 0 && this.waitingBytes > this.limits.totalBytes) this.#slowest()?.tooSlow();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const outbox of dirty) outbox.flush();
    this.#encoder.forget();
    if (this.#onFlushed.length === 0) return;
    const onFlushed = this.#onFlushed;
    this.#onFlushed = [];
    for (const then of onFlushed) then();
  };

  #slowest(): Outbox | undefined {
    let slowest: Outbox | undefined;
    for (const outbox of this.#waiting) {
      if (outbox.isClosed) continue;
      if (slowest === undefined || outbox.waitingBytes > slowest.waitingBytes) slowest = outbox;
    }
    return slowest;
  }
}

/** What an outbox writes by when frames are not ours to write: permessage-deflate, whose state is the library's, and event streams. */
export interface MessageWriter {
  write(prefix: NextPrefix | null, payload: Uint8Array, written: () => void): void;
  /** What it holds, in bytes. */
  readonly waitingBytes: number;
}

/** Whose outbox it is. */
export interface OutboxOwner {
  /** The client reads too slowly: the outbox takes nothing more. */
  onSlow(): void;
  /** The kernel took something that had waited for it. */
  onProgress(): void;
}

export class Outbox {
  #prefixes: (NextPrefix | null)[] | undefined;
  #payloads: Uint8Array[] = NONE;
  #queuedBytes = 0;
  #inFlightBytes = 0;
  /** Writes whose callback hasn't come: also of those that the kernel took at once. */
  #writes = 0;
  /** What is counted in {@link Outboxes.waitingBytes}. */
  #accounted = 0;
  #marked = false;
  #closed = false;
  #room: PromiseWithResolvers<void> | undefined;
  /** What to do when all is with the kernel. */
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly all: Outboxes,
    /** Null where `writer` writes. */
    private readonly socket: Duplex | null,
    private readonly owner: OutboxOwner,
    private readonly writer?: MessageWriter,
  ) {}

  get waitingBytes(): number {
    return this.#inFlightBytes + this.#queuedBytes;
  }

  /** It takes nothing more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  push(prefix: NextPrefix | null, payload: Uint8Array): void {
    if (this.#closed) return;
    if (this.#prefixes === undefined) {
      this.#prefixes = [];
      this.#payloads = [];
    }
    this.#prefixes.push(prefix);
    this.#payloads.push(payload);
    this.#queuedBytes += frameLength(prefix, payload);
    if (this.#inFlightBytes > 0) this.#account();
    else if (this.#queuedBytes >= WRITE_BYTES) this.flush();
    if (!this.#marked && this.#queuedBytes > 0 && this.#inFlightBytes === 0) {
      this.#marked = true;
      this.all.mark(this);
    }
  }

  /** Writes what is queued, as far as the socket takes it. */
  flush(): void {
    this.#marked = false;
    while (this.#inFlightBytes === 0 && this.#prefixes !== undefined && this.#queuedBytes > 0) this.#write();
    this.#account();
    this.#tellOfRoom();
    if (this.#onEmpty !== undefined && this.#queuedBytes === 0) {
      const onEmpty = this.#onEmpty;
      this.#onEmpty = undefined;
      onEmpty();
    }
  }

  /** See {@link Sink.room}. */
  room(): Promise<void> | undefined {
    if (this.#closed || !this.#isHalfFull) return undefined;
    return (this.#room ??= Promise.withResolvers()).promise;
  }

  /** Takes nothing more; `then` is called when all that was queued is with the socket, whose own queue holds at most one write. */
  end(then: () => void): void {
    this.#closed = true;
    this.#onEmpty = then;
    this.#tellOfRoom();
    this.flush();
  }

  /** Drops what is queued: the socket is gone. */
  destroy(): void {
    this.#closed = true;
    this.#drop();
    this.#inFlightBytes = 0;
    this.#onEmpty = undefined;
    this.#account();
    this.#tellOfRoom();
  }

  tooSlow(): void {
    this.all.slow++;
    this.#closed = true;
    this.#drop();
    this.#account();
    this.#tellOfRoom();
    // A close that already waited for what is dropped now goes out instead.
    const onEmpty = this.#onEmpty;
    this.#onEmpty = undefined;
    if (onEmpty === undefined) this.owner.onSlow();
    else onEmpty();
  }

  #write(): void {
    const prefixes = this.#prefixes!;
    const payloads = this.#payloads;
    let count = 0;
    let bytes = 0;
    while (count < payloads.length) {
      const length = frameLength(prefixes[count]!, payloads[count]!);
      if (count > 0 && bytes + length > WRITE_BYTES) break;
      bytes += length;
      count++;
    }
    const isAll = count === payloads.length;
    this.#prefixes = isAll ? undefined : prefixes.slice(count);
    this.#payloads = isAll ? NONE : payloads.slice(count);
    this.#queuedBytes -= bytes;
    this.all.frames += count;
    this.all.bytes += bytes;
    if (this.writer === undefined) {
      const buffer = isAll
        ? this.all.encode(prefixes, payloads, bytes)
        : this.all.encode(prefixes.slice(0, count), payloads.slice(0, count), bytes);
      this.#writes++;
      this.socket!.write(buffer, this.#written);
      this.#inFlightBytes = this.socket!.writableLength;
    } else {
      this.#writes += count;
      for (let index = 0; index < count; index++) this.writer.write(prefixes[index]!, payloads[index]!, this.#written);
      this.#inFlightBytes = this.writer.waitingBytes;
    }
  }

  /** The kernel has taken a write whole, or the socket broke. */
  readonly #written = (): void => {
    this.#writes--;
    // What it took at once needs no care, and it still has another one.
    if (this.#inFlightBytes === 0 || this.#writes > 0) return;
    this.#inFlightBytes = 0;
    this.owner.onProgress();
    this.flush();
  };

  #account(): void {
    const waiting = this.#inFlightBytes > 0 ? this.waitingBytes : 0;
    const by = waiting - this.#accounted;
    if (by === 0) return;
    this.#accounted = waiting;
    this.all.account(this, by);
    const { socketBytes } = this.all.limits;
    // A message that is larger than the bound is not the client's fault: what comes behind it counts.
    const inFlight = Math.min(this.#inFlightBytes, socketBytes / 2);
    if (by > 0 && !this.#closed && inFlight + this.#queuedBytes > socketBytes) this.tooSlow();
  }

  get #isHalfFull(): boolean {
    return this.#inFlightBytes > 0 && this.waitingBytes >= this.all.limits.socketBytes / 2;
  }

  #tellOfRoom(): void {
    if (this.#room === undefined || (!this.#closed && this.#isHalfFull)) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  #drop(): void {
    this.#prefixes = undefined;
    this.#payloads = NONE;
    this.#queuedBytes = 0;
  }
}

const NONE: Uint8Array[] = [];
