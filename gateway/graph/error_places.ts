/**
 * Errors of the stitched schema stand where their values do. In: the schema as stitching makes it, which gives one error to all who wait
 * for the same object, at the path of the first of them. Out: the same schema; each error is at the path of its own field and item.
 */

import { GraphQLError, type GraphQLResolveInfo, type GraphQLSchema, isObjectType, responsePathAsArray } from "graphql";
import type { Path } from "./answer.ts";

/** Changes the schema's resolvers. */
export function withErrorsInPlace(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith("__")) continue;
    for (const field of Object.values(type.getFields())) {
      const { resolve } = field;
      if (resolve === undefined) continue;
      const inPlace: typeof resolve = (parent, args, context, info) =>
        placed(resolve(parent, args, context, info), info);
      // Stitching knows by its name which resolver is its own.
      field.resolve = Object.defineProperty(inPlace, "name", { value: resolve.name });
    }
  }
  return schema;
}

function placed(value: unknown, info: GraphQLResolveInfo, within: Path = []): unknown {
  if (isPromise(value)) {
    return value.then((one) => placed(one, info, within), (error) => {
      throw placed(error, info, within);
    });
  }
  if (Array.isArray(value)) return value.map((item, nth) => placed(item, info, [...within, nth]));
  if (!(value instanceof Error)) return value;
  // Of several below one field that is null GraphQL tells one.
  const error = value instanceof AggregateError ? value.errors[0] : value;
  if (!(error instanceof GraphQLError) || error.path === undefined) return error;
  const place = [...responsePathAsArray(info.path), ...within];
  if (place.every((key, depth) => error.path![depth] === key)) return error;
  // Without a path it is given that of the place where it is found.
  const { message, extensions, originalError } = error;
  return new GraphQLError(message, { extensions, originalError });
}

/** Also one of stitching's own make. */
function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
