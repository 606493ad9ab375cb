/** The closed list of error codes that a client may see (contract: Errors), and the one class that carries them. */

import { GraphQLError } from "graphql";

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

/**
 * An error that its user may read: one line and a code of {@link STATUS_OF_CODE}.
 * It is a GraphQLError, so that thrown in a resolver it reaches the client as it is; `extra` joins `extensions`.
 */
export class UserError extends GraphQLError {
  override readonly name = "UserError";
  constructor(readonly code: ErrorCode, message: string, extra: Record<string, unknown> = {}, cause?: unknown) {
    super(message, { extensions: { code, ...extra }, originalError: cause instanceof Error ? cause : undefined });
  }
}
