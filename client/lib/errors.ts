/** The one kind of error that leaves this library: a line to read, and a code to go by. */

/** What GraphQL answers as an error, as far as it is used here. */
export interface GraphQLErrorLike {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/**
 * `code` is the API's (`NOT_FOUND`, `RATE_LIMITED`, …), or one of this library's own: `UNREACHABLE` (nobody answered, or not Notifyx),
 * `TIMEOUT`, `CLOSED` (by `close()`), `QUEUE_FULL` and `EXPIRED` (a send that waited longer than its idempotency key counts).
 */
export class NotifyxError extends Error {
  override readonly name = "NotifyxError";
  constructor(
    readonly code: string,
    message: string,
    /** All that the answer said is wrong. */
    readonly errors: readonly GraphQLErrorLike[] = [],
    /** What the answer has nevertheless. */
    readonly data?: unknown,
  ) {
    super(message);
  }

  /** How long the server wants to be left alone, in milliseconds; 0 where it doesn't say. */
  get retryAfterMs(): number {
    const seconds = Number(this.errors[0]?.extensions?.retryAfterSeconds);
    return seconds > 0 ? seconds * 1000 : 0;
  }
}

/** What passes by itself: asking again later is right. */
const PASSING = ["UNREACHABLE", "TIMEOUT", "SERVICE_UNAVAILABLE", "TOO_MANY_REQUESTS", "RATE_LIMITED"];

export function isPassing(error: unknown): error is NotifyxError {
  return error instanceof NotifyxError && PASSING.includes(error.code);
}

/** The same of what is asked again without harm: what went wrong inside was no answer either. */
export function isNoAnswer(error: unknown): error is NotifyxError {
  return isPassing(error) || (error instanceof NotifyxError && error.code === "INTERNAL");
}

/** Of the errors of an answer; the first says what it is. */
export function errorOf(errors: readonly GraphQLErrorLike[], data?: unknown): NotifyxError {
  const [first] = errors;
  return new NotifyxError(`${first?.extensions?.code ?? "INTERNAL"}`, first?.message ?? "no answer", errors, data);
}

export const closed = () => new NotifyxError("CLOSED", "this client was closed");
