/** What subscriptions run on: a socket of this page (socket_link.ts), or of another tab (tab_link.ts). */

import type { GraphQLErrorLike, NotifyxError } from "./errors.ts";
import type { Observable } from "./observable.ts";

export interface Connection {
  /**
   * `idle`: nobody listens to anything; `connecting`: for the first time; `open`; `lost`: it is tried again; `ended`: with the session,
   * for good; `closed`: by `close()`.
   */
  readonly state: "idle" | "connecting" | "open" | "lost" | "ended" | "closed";
  /** When that began, in milliseconds since 1970. */
  readonly since: number;
  /** Why it isn't open, for a person to read. */
  readonly reason?: string;
}

export interface Operation {
  readonly query: string;
  readonly variables: object;
}

export interface Sink {
  next(result: { readonly data?: unknown; readonly errors?: readonly GraphQLErrorLike[] }): void;
  error(errors: readonly GraphQLErrorLike[]): void;
  complete(): void;
}

export interface Link {
  readonly connection: Observable<Connection>;
  /** It is open, or tries to be, while somebody holds it. */
  hold(): () => void;
  /** While it is open. Ends without a word when it isn't any more. */
  run(operation: Operation, sink: Sink): () => void;
  /** The session has ended, as an answer said. */
  end(error: NotifyxError): void;
  /** Tells the tabs that share it, where there are any. */
  share?(event: unknown): void;
  close(): void;
}
