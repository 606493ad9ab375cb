/** Where subscriptions come from and where their results go: what the protocols (WebSocket, event streams) and the hub share. */

import type { DocumentNode, GraphQLFormattedError, GraphQLSchema } from "graphql";
import type { Caller } from "../caller.ts";

/** Where one operation's results go: a WebSocket's operation, or an event stream. */
export interface Sink {
  /**
   * One result: the UTF-8 bytes of the JSON text of an ExecutionResult, shared by many sinks, never changed afterwards. `cursor` is where it
   * stands in the feed, if it does.
   */
  next(payload: Uint8Array, cursor?: string | null): void;
  /** The operation begins behind this cursor, which its client doesn't know yet. */
  beginsAt(cursor: string): void;
  /** Ends the operation with errors (already masked). */
  error(errors: readonly GraphQLFormattedError[]): void;
  complete(): void;
  /** Undefined while the reader keeps up; else resolves once less than half of its bound waits, or it is closed: a replay waits for it. */
  room(): Promise<void> | undefined;
}

/** An operation of a document that was checked against its schema. */
export interface SubscriptionRequest {
  readonly document: DocumentNode;
  readonly schema: GraphQLSchema;
  /** Whether errors name what of the schema may have been meant. */
  readonly hideSuggestions: boolean;
  readonly operationName: string | null | undefined;
  readonly variables: Readonly<Record<string, unknown>> | null | undefined;
  readonly caller: Caller;
  /** The cursor behind which it goes on where its arguments name none: an event stream's `Last-Event-ID`. */
  readonly lastEventId?: string;
}

export interface Running {
  /** The client completed it or is gone; nothing goes to the sink after it. */
  stop(): void;
}

export interface Subscriptions {
  /** What is wrong at the start is told by `sink.error`, never thrown. */
  start(request: SubscriptionRequest, sink: Sink): Promise<Running>;
}

/** The text that a document was read from. */
export function sourceOf({ loc }: DocumentNode): string {
  return loc!.source.body;
}
