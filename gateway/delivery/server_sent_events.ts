/**
 * Subscriptions over server-sent events: npm `graphql-sse`'s distinct connections mode, one operation a request. In: results, as a sink.
 * Out: an event `next` for each, whose `id` is its cursor if it has one, then `complete`; a comment now and then, so that both ends notice
 * a dead connection. When the caller's session ends, one last `next` says so.
 */

import { Buffer } from "node:buffer";
import type { GraphQLFormattedError } from "graphql";
import { SECOND } from "../../kit/time.ts";
import { countLimited } from "./limits.ts";
import { streamsGauge } from "./metrics.ts";
import type { Running, Sink } from "./operation.ts";
import { type MessageWriter, Outbox, type Outboxes, type OutboxOwner } from "./outbox.ts";

/** Between two comments, in milliseconds. */
const KEEP_ALIVE_MS = 12 * SECOND;
const CLOSE_LIMIT_MS = 5 * SECOND;

const encoder = new TextEncoder();
const COMMENT = encoder.encode(":\n\n");
const COMPLETE = encoder.encode("event: complete\ndata:\n\n");
const NEXT = Buffer.from("event: next\n");
const DATA = Buffer.from("data: ");
const END = Buffer.from("\n\n");

export interface EventStreamOptions {
  /** Starts the operation; what is wrong with it is told to the sink. */
  readonly start: (sink: Sink) => Promise<Running>;
  readonly stopping: AbortSignal;
  readonly outboxes: Outboxes;
  /** Calls `onEnded` when the caller's session ends, unless its answer was called before. */
  readonly watch?: (onEnded: (errors: readonly GraphQLFormattedError[]) => void) => () => void;
  /** Ends the connection of a client that reads too slowly: the stream is not whole, and must not seem so. */
  readonly cutOff: () => void;
  /** Called once, when the stream has ended. */
  readonly onEnd?: () => void;
  /** How long a client may take to read what was written before the end, in milliseconds. */
  readonly closeLimitMs?: number;
}

export function eventStream(options: EventStreamOptions): Response {
  return new Response(new EventStream(options).body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    },
  });
}

class EventStream implements Sink, OutboxOwner {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #writer: StreamWriter;
  readonly #outbox: Outbox;
  readonly #keepingAlive: ReturnType<typeof setInterval>;
  readonly #unwatch: (() => void) | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #running: Running | undefined;
  #isOpen = true;

  constructor(private readonly options: EventStreamOptions) {
    const { start, stopping, outboxes, watch } = options;
    streamsGauge.inc();
    this.#writer = new StreamWriter(() => this.#onGone());
    this.body = this.#writer.body;
    this.#outbox = new Outbox(outboxes, null, this, this.#writer);
    this.#keepingAlive = setInterval(() => this.#outbox.push(null, COMMENT), KEEP_ALIVE_MS);
    stopping.addEventListener("abort", this.#onStopping, { once: true });
    this.#unwatch = watch?.((errors) => this.error(errors));
    this.#outbox.push(null, COMMENT);
    start(this).then((running) => {
      if (this.#isOpen) this.#running = running;
      else running.stop();
    }, () => this.#end());
  }

  next(payload: Uint8Array, cursor?: string | null): void {
    if (!this.#isOpen) return;
    const id = cursor == null ? DATA : Buffer.from(`id: ${cursor}\ndata: `);
    this.#outbox.push(null, Buffer.concat([NEXT, id, payload, END]));
  }

  /** An event without data: clients keep its id, and show nobody anything. */
  beginsAt(cursor: string): void {
    if (this.#isOpen) this.#outbox.push(null, encoder.encode(`id: ${cursor}\n\n`));
  }

  error(errors: readonly GraphQLFormattedError[]): void {
    this.next(encoder.encode(JSON.stringify({ errors })));
    this.complete();
  }

  complete(): void {
    // At the stop the stream just ends: a client that comes back goes on behind its last cursor.
    if (this.#isOpen && !this.options.stopping.aborted) this.#outbox.push(null, COMPLETE);
    this.#end();
  }

  room(): Promise<void> | undefined {
    return this.#isOpen ? this.#outbox.room() : undefined;
  }

  onProgress(): void {}

  onSlow(): void {
    countLimited("slow");
    this.#cutOff();
  }

  readonly #onStopping = (): void => this.#end();

  /** The client hung up, as each does in the end. */
  #onGone(): void {
    this.#outbox.destroy();
    this.#release();
  }

  /** Takes nothing more, and ends behind what was written before. */
  #end(): void {
    if (!this.#isOpen) return;
    this.#release();
    this.#deadline = setTimeout(() => this.#cutOff(), this.options.closeLimitMs ?? CLOSE_LIMIT_MS);
    this.#outbox.end(() => this.#writer.close(() => clearTimeout(this.#deadline)));
  }

  #cutOff(): void {
    this.#release();
    this.#outbox.destroy();
    this.options.cutOff();
  }

  #release(): void {
    clearTimeout(this.#deadline);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    streamsGauge.dec();
    clearInterval(this.#keepingAlive);
    this.options.stopping.removeEventListener("abort", this.#onStopping);
    this.#unwatch?.();
    this.#running?.stop();
    this.options.onEnd?.();
  }
}

/** The body of an answer as an outbox writes it: what its reader has not asked for yet waits. */
class StreamWriter implements MessageWriter {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #written: (() => void)[] = [];
  #onClosed: (() => void) | undefined;

  constructor(onGone: () => void) {
    this.body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#controller = controller as ReadableStreamDefaultController<Uint8Array>;
      },
      // With nothing that it may hold, a stream asks for more when its reader has all and waits.
      pull: () => {
        const written = this.#written;
        this.#written = [];
        for (const tell of written) tell();
        if (this.#onClosed !== undefined && this.waitingBytes === 0) this.#close(this.#onClosed);
      },
      cancel: onGone,
    }, { highWaterMark: 0, size: (chunk) => chunk.byteLength });
  }

  get waitingBytes(): number {
    return -(this.#controller.desiredSize ?? 0);
  }

  write(_prefix: null, payload: Uint8Array, written: () => void): void {
    this.#controller.enqueue(payload);
    this.#written.push(written);
  }

  /** Once its reader has all. */
  close(onClosed: () => void): void {
    if (this.waitingBytes === 0) this.#close(onClosed);
    else this.#onClosed = onClosed;
  }

  #close(onClosed: () => void): void {
    this.#onClosed = undefined;
    this.#controller.close();
    onClosed();
  }
}
