/** The closed list of error codes that a client may see (contract: Errors), and the one class that carries them. */

import { GraphQLError } from "graphql";
import * as v from "valibot";

/** Each code with the HTTP status that a REST route answers with. */
export const STATUS_OF_CODE = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  BAD_USER_INPUT: 400,
  CONFLICT: 409,
  RATE_LIMITED: 429,
  TOO_MANY_REQUESTS: 429,
  TRANSACTION_ABORTED: 409,
  TIMEOUT: 504,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL: 500,
  CURSOR_EXPIRED: 410,
  // Apollo's, of automatic persisted queries: the client asks again with the whole document.
  PERSISTED_QUERY_NOT_FOUND: 404,
  PERSISTED_QUERY_NOT_SUPPORTED: 400,
} as const;

export type ErrorCode = keyof typeof STATUS_OF_CODE;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(STATUS_OF_CODE, value);
}

const strings = v.array(v.string());
/** What an error may say besides its code. Of another process's error what is not of this shape stays inside. */
const DETAILS = v.object({
  retryAfterSeconds: v.fallback(v.optional(v.number()), undefined),
  oldestCursor: v.fallback(v.optional(v.string()), undefined),
  unknownIds: v.fallback(v.optional(strings), undefined),
  notSubscribed: v.fallback(v.optional(strings), undefined),
});
export type ErrorDetails = Readonly<v.InferInput<typeof DETAILS>>;

/**
 * An error that its user may read: one line and a code of {@link STATUS_OF_CODE}.
 * It is a GraphQLError, so that thrown in a resolver it reaches the client as it is; `details` join `extensions`.
 */
export class UserError extends GraphQLError {
  override readonly name = "UserError";
  constructor(readonly code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, { extensions: { code, ...details }, originalError: cause instanceof Error ? cause : undefined });
  }
}

/**
 * What another process says in an error, as ours: of its message the first line, of `said` (its code and details) what is in our list. All
 * else may be internal: servers put stacks and statements there. Undefined where it has no code of ours, or `INTERNAL`, whose message nobody
 * wrote for a user.
 */
export function reportedError(message: unknown, said: Readonly<Record<string, unknown>>): UserError | undefined {
  const { code } = said;
  if (!isErrorCode(code) || code === "INTERNAL") return undefined;
  const [line] = String(message).split("\n", 1);
  return new UserError(code, line!.trim(), v.parse(DETAILS, said));
}
