/** One operation of a connection. In: results of what runs for it. Out: messages to the connection's wire, until it has ended. */

import type { GraphQLFormattedError } from "graphql";
import type { CloseCode } from "./close_codes.ts";
import { completed, failed, NextPrefix } from "./messages.ts";
import type { Running, Sink } from "./operation.ts";

/** What a connection writes to; all of it goes out in the order in which it is given. */
export interface Wire {
  send(message: string): void;
  next(prefix: NextPrefix, payload: Uint8Array): void;
  /** Closes behind what was sent before. */
  close(code: CloseCode, reason?: string): void;
  /** As {@link Sink.room}. */
  room(): Promise<void> | undefined;
}

/** A request ends by itself, with one result: a query or a mutation. */
export type OperationKind = "subscription" | "request";

/** Whose operations they are. */
export interface OperationOwner {
  /** Whether there may be one more of this kind; where not, the operation has been refused. */
  mayBegin(operation: Operation, kind: OperationKind): boolean;
  onEnd(operation: Operation): void;
}

/** From its subscribe to its end, whoever ends it: nothing is sent for it afterwards. */
export class Operation implements Sink {
  #kind: OperationKind | undefined;
  #prefix: NextPrefix | undefined;
  #running: Running | undefined;
  #ended = false;

  constructor(readonly id: string, private readonly wire: Wire, private readonly owner: OperationOwner) {}

  /** Undefined until it has begun. */
  get kind(): OperationKind | undefined {
    return this.#kind;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Its document is known. False where it has ended, perhaps just now: its connection has as many of its kind as it may. */
  begin(kind: OperationKind): boolean {
    if (this.#ended || !this.owner.mayBegin(this, kind)) return false;
    this.#kind = kind;
    return true;
  }

  /** What runs for it; stopped at once where it has ended meanwhile. */
  set running(running: Running) {
    if (this.#ended) running.stop();
    else this.#running = running;
  }

  next(payload: Uint8Array): void {
    if (this.#ended) return;
    this.wire.next(this.#prefix ??= new NextPrefix(this.id), payload);
  }

  /** The protocol has no word for it: a client of a socket begins behind a cursor that it has. */
  beginsAt(): void {}

  error(errors: readonly GraphQLFormattedError[]): void {
    this.#end(() => failed(this.id, errors));
  }

  complete(): void {
    this.#end(() => completed(this.id));
  }

  /** Ends it without a word: the client completed it, or is gone. */
  stop(): void {
    this.#end();
  }

  room(): Promise<void> | undefined {
    return this.#ended ? undefined : this.wire.room();
  }

  #end(lastMessage?: () => string): void {
    if (this.#ended) return;
    this.#ended = true;
    // Before anyone hears of the end: a connection that waited for it closes then.
    if (lastMessage !== undefined) this.wire.send(lastMessage());
    this.#running?.stop();
    this.#running = undefined;
    this.owner.onEnd(this);
  }
}
