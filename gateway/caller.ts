/** Who makes a request, as resolvers and subgraph calls see it. */

import { UserError } from "../kit/errors.ts";
import type { Span } from "../kit/tracing/mod.ts";
import type { Lifetime } from "./guards/lifetime.ts";
import { keyOf, type Session, type Sessions } from "./sessions.ts";

export class Caller {
  #key: string | undefined;

  constructor(
    readonly sessions: Sessions,
    readonly token: string | null,
    readonly requestId: string,
    /** As limits count it. */
    readonly address: string = "",
    /** How long somebody waits for the operation; undefined where one of these is there for many. */
    readonly lifetime?: Lifetime,
    /** Of the operation, where it is traced. */
    readonly span?: Span,
  ) {}

  /** The same one, asking for a single operation; one that is there for many is given that one's span. */
  during(lifetime: Lifetime | undefined, span = this.span): Caller {
    const caller = new Caller(this.sessions, this.token, this.requestId, this.address, lifetime, span);
    caller.#key = this.#key;
    return caller;
  }

  /** As it stands now: a subscription outlives many identities. @throws UserError as {@link Sessions.of} */
  session(): Promise<Session> {
    return this.sessions.ofKey(this.#key ??= keyOf(this.token), this.token);
  }

  /** @throws UserError `UNAUTHENTICATED` for an anonymous caller */
  async userId(): Promise<string> {
    const { userId } = await this.session();
    if (userId === null) throw new UserError("UNAUTHENTICATED", "sign in first: this needs a session's token");
    return userId;
  }

  /** Calls `onEnded` when the session ends, as {@link Sessions.watch} does; an anonymous caller has none that could. */
  watch(onEnded: () => void): () => void {
    return this.token === null ? () => {} : this.sessions.watch(this.token, onEnded);
  }

  /** The session may have ended by this request: nothing may be remembered of it. */
  signedOut(): void {
    if (this.token !== null) this.sessions.forget(this.token);
  }
}
