/** Every code that a socket is closed with: those of graphql-transport-ws, and two of RFC 6455 that its clients come back after. */

export interface CloseCode {
  readonly code: number;
  /** What a person reads, unless the place that closes knows better; at most {@link REASON_LIMIT_BYTES}. */
  readonly reason: string;
  /** Whether npm `graphql-ws`'s client connects again by itself. It never does after 1008, 1011 or 4500. */
  readonly comesBack: boolean;
}

/** What a close frame has room for besides its code. */
export const REASON_LIMIT_BYTES = 123;

export const CLOSE = {
  /** The client's message is none, or is too long. */
  invalidMessage: { code: 4400, reason: "Invalid message", comesBack: false },
  /** An operation before the connection was acknowledged. */
  unauthorized: { code: 4401, reason: "Unauthorized", comesBack: false },
  /** The session's token is none, or the session has ended. */
  forbidden: { code: 4403, reason: "Forbidden", comesBack: true },
  subprotocol: { code: 4406, reason: "Subprotocol not acceptable", comesBack: false },
  initTimeout: { code: 4408, reason: "Connection initialisation timeout", comesBack: true },
  /** Its reason names the operation's id, which is why ids are bounded. */
  duplicateId: { code: 4409, reason: "Subscriber already exists", comesBack: false },
  secondInit: { code: 4429, reason: "Too many initialisation requests", comesBack: false },
  internal: { code: 4500, reason: "Internal server error", comesBack: false },
  /** This gateway stops; another one, or the next, is there. */
  restarting: { code: 1012, reason: "restarting", comesBack: true },
  /** It reads more slowly than it is written to. It goes on behind its last cursor. */
  slow: { code: 1013, reason: "slow", comesBack: true },
  tooManySockets: { code: 1013, reason: "too many sockets", comesBack: true },
  tooManyMessages: { code: 1013, reason: "too many messages", comesBack: true },
  /** The session can't be checked just now. */
  tryAgainLater: { code: 1013, reason: "try again later", comesBack: true },
} as const satisfies Record<string, CloseCode>;
