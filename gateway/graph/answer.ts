/** What a service answered, and the errors in it as ours. */

import { type ExecutionResult, GraphQLError } from "graphql";
import { reportedError, UserError } from "../../kit/errors.ts";
import type { Answer } from "../../kit/graphql.ts";
import type { Logger } from "../../kit/log.ts";

export type Path = readonly (string | number)[];

/**
 * An answer of a service over HTTP. What it says in `extensions` of the whole answer is between it and us.
 * @throws UserError `SERVICE_UNAVAILABLE` where it is no result of GraphQL
 */
export function readAnswer(service: string, status: number, text: string): Answer {
  // `"errors"` in a string of the data would be escaped: `\\"errors\\"`.
  if (
    status === 200 && text.startsWith('{"data":') && text.endsWith("}") && !text.includes('"errors"') &&
    !text.includes('"extensions"')
  ) {
    return text;
  }
  let result: unknown;
  try {
    result = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (isResult(result)) return { data: result.data, errors: result.errors };
  const cause = new Error(`status ${status}`);
  throw new UserError("SERVICE_UNAVAILABLE", `the service ${service} could not answer`, {}, cause);
}

/** The result with its errors as {@link errorOf} has them. */
export function reportedResult(service: string, { data, errors }: ExecutionResult, log: Logger): ExecutionResult {
  return errors === undefined
    ? { data }
    : { data, errors: errors.map((error) => errorOf(service, error, pathOf(error), log)) };
}

/** The error that a service reported, at `path` of the answer. */
export function errorOf(service: string, error: unknown, path: Path | undefined, log: Logger): GraphQLError {
  // Of our own part it is an error that has not been masked yet.
  if (error instanceof GraphQLError) {
    const { nodes, source, positions, originalError, extensions } = error;
    return new GraphQLError(error.message, { nodes, source, positions, path, originalError, extensions });
  }
  const { message, extensions } = (error ?? {}) as { message?: unknown; extensions?: Record<string, unknown> | null };
  const reported = reportedError(message, extensions ?? {});
  if (reported !== undefined) return errorAt(reported, path);
  log.warning("{service} failed without a code: {message}", { service, message: String(message) });
  return new GraphQLError(`the service ${service} failed`, { path, extensions: { code: "INTERNAL" } });
}

/** An error of ours at `path`. */
export function errorAt(error: unknown, path: Path | undefined): GraphQLError {
  if (error instanceof UserError) return new GraphQLError(error.message, { path, extensions: error.extensions });
  return new GraphQLError("internal error", { path, originalError: error as Error });
}

/** Where a service says that an error belongs. */
export function pathOf(error: unknown): Path | undefined {
  const { path } = (error ?? {}) as { path?: unknown };
  const isPath = Array.isArray(path) && path.every((key) => typeof key === "string" || Number.isInteger(key));
  return isPath ? path : undefined;
}

function isResult(answer: unknown): answer is ExecutionResult {
  if (typeof answer !== "object" || answer === null) return false;
  const { data, errors } = answer as ExecutionResult;
  return (data === undefined || typeof data === "object") &&
    (errors === undefined ? data !== undefined : Array.isArray(errors) && (errors.length > 0 || data !== undefined));
}
