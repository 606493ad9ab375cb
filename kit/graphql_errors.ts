/** What an error of a GraphQL execution is to its caller, by one code of the contract. */

import { GraphQLError } from "graphql";
import { isConnectionError, isDatabaseTimeout } from "./database_errors.ts";
import { type ErrorCode, isErrorCode } from "./errors.ts";

/** What we threw has its own; what graphql-js says of the request is `BAD_USER_INPUT`; all else is the database's fault, or ours. */
export function graphqlErrorCode(error: Readonly<GraphQLError | Error>): ErrorCode {
  const { extensions, originalError } = error as GraphQLError;
  if (isErrorCode(extensions?.code)) return extensions.code;
  if (isOfRequest(error)) return "BAD_USER_INPUT";
  const cause = originalError ?? error;
  if (isConnectionError(cause)) return "SERVICE_UNAVAILABLE";
  return isDatabaseTimeout(cause) ? "TIMEOUT" : "INTERNAL";
}

/** Whether graphql-js says it of the request, and nothing below it has failed. */
function isOfRequest(error: Readonly<GraphQLError | Error>): boolean {
  if (!(error instanceof GraphQLError)) return false;
  let first = error;
  while (first.originalError instanceof GraphQLError) first = first.originalError;
  // Of a field it says by its place in the document what is wrong with an argument, and without one what is wrong with a value.
  return first.originalError === undefined && (error.path === undefined || first.nodes !== undefined);
}
