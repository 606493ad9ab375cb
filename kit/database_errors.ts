/** What an error of PostgreSQL means here; code elsewhere compares no SQLSTATE but by these names. */

import { type ErrorCode, STATUS_OF_CODE, UserError } from "./errors.ts";

export const UNIQUE_VIOLATION = "23505";
export const LOCK_NOT_AVAILABLE = "55P03";
/** The name of a prepared transaction that there is, or that another session is just finishing. */
export const DUPLICATE_OBJECT = "42710";
/** A prepared transaction that isn't there: committed, rolled back and never prepared all look the same. */
export const UNDEFINED_OBJECT = "42704";
/** Another session commits or rolls back the same prepared transaction at this moment. */
export const OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";

/** The SQLSTATE of an error from PostgreSQL, or the driver's or the system's own code (`CONNECTION_CLOSED`, `ECONNREFUSED`). */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/**
 * Codes after which the same call may well succeed soon, because the server is away, starting or stopping:
 * class 08 connection exceptions, 57P01 administrator's stop, 57P02 crash of another backend, 57P03 cannot connect now, 53300 too many connections.
 */
const AWAY = /^(08...|57P0[123]|53300|CONNECT(ION)?_\w+|ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH)$/;

export function isConnectionError(error: unknown): boolean {
  return AWAY.test(errorCode(error) ?? "");
}

/** Whether PostgreSQL gave up waiting: for a lock (55P03), or for a statement to end (57014). */
export function isDatabaseTimeout(error: unknown): boolean {
  const code = errorCode(error);
  return code === LOCK_NOT_AVAILABLE || code === "57014";
}

/** What of the database may fail, for who is on call. */
export const DATABASE_ERROR_KINDS = [
  "connection",
  "timeout",
  "lock",
  "disk_full",
  "too_many_connections",
  "prepared_full",
  "other",
] as const;
export type DatabaseErrorKind = (typeof DATABASE_ERROR_KINDS)[number];

/** 53200 is out of memory in general; this is the text of the one for which there is a setting. */
const PREPARED_FULL = /maximum number of prepared transactions/;
const SQLSTATE = /^(\d[\dA-Z]|F0|HV|XX)[\dA-Z]{3}$/;
/** Classes of what the statement's values or our SQL say of what was asked: 22 data exceptions, 23 violated constraints. */
const OF_REQUEST = /^(22|23)/;

/** Undefined for an error that isn't the database's, or that says what is wrong with what was asked of it. */
export function databaseErrorKind(error: unknown): DatabaseErrorKind | undefined {
  const code = errorCode(error);
  if (code === undefined || error instanceof UserError) return undefined;
  if (code === "53100") return "disk_full";
  if (code === "53300") return "too_many_connections";
  if (code === "53200" && PREPARED_FULL.test((error as Error).message)) return "prepared_full";
  // 40P01: a deadlock.
  if (code === LOCK_NOT_AVAILABLE || code === "40P01") return "lock";
  if (code === "57014") return "timeout";
  if (AWAY.test(code)) return "connection";
  return SQLSTATE.test(code) && !OF_REQUEST.test(code) ? "other" : undefined;
}

/** Our own SQL functions raise SQLSTATE `NX` and the HTTP status of what they refuse; `detail` is JSON that joins the extensions. */
const RAISED = /^NX(\d{3})$/;
const CODE_OF_RAISED: Record<string, ErrorCode> = {
  "400": "BAD_USER_INPUT",
  "403": "FORBIDDEN",
  "404": "NOT_FOUND",
  "409": "CONFLICT",
  "410": "CURSOR_EXPIRED",
};

/** What the user should read of a database error: what our SQL raised, as a UserError; else the error as it came. */
export function raisedError(error: unknown): unknown {
  const status = RAISED.exec(errorCode(error) ?? "")?.[1];
  const code = status === undefined ? undefined : CODE_OF_RAISED[status];
  if (code === undefined || STATUS_OF_CODE[code] === undefined) return error;
  const { message, detail } = error as { message: string; detail?: string };
  return new UserError(code, message, detail ? JSON.parse(detail) : {});
}
