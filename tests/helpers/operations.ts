/**
 * Every operation of the graph that takes an id, made from the schema itself, so that a test of all of them has those as well that are
 * added later: each with one of its ids for the test to give, and with something of the right type for all else that it requires.
 */

import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from "graphql";
import { getNamedType, getNullableType } from "graphql";

export interface Operation {
  readonly kind: "query" | "mutation" | "subscription";
  readonly field: string;
  /** The argument that is given the id. */
  readonly argument: string;
  readonly document: string;
  variables(id: string): Record<string, unknown>;
}

/** `someId` is for the other ids that an operation requires. */
export function operationsWithIds(schema: GraphQLSchema, someId: string): Operation[] {
  const roots = [
    ["query", schema.getQueryType()],
    ["mutation", schema.getMutationType()],
    ["subscription", schema.getSubscriptionType()],
  ] as const;
  return roots.flatMap(([kind, root]) =>
    Object.values(root?.getFields() ?? {}).flatMap((field) =>
      field.args.filter(({ type }) => getNamedType(type).name === "ID").map((argument) =>
        operation(kind, field, argument, someId)
      )
    )
  );
}

function operation(
  kind: Operation["kind"],
  field: GraphQLField<unknown, unknown>,
  argument: GraphQLArgument,
  someId: string,
): Operation {
  const given = field.args.filter((one) => one === argument || isRequiredArgument(one));
  const declared = given.map(({ name, type }) => `$${name}: ${type}`).join(", ");
  const passed = given.map(({ name }) => `${name}: $${name}`).join(", ");
  const selection = isObjectType(getNamedType(field.type)) ? "{ __typename }" : "";
  return {
    kind,
    field: field.name,
    argument: argument.name,
    document: `${kind} (${declared}) { ${field.name}(${passed}) ${selection} }`,
    variables: (id) =>
      Object.fromEntries(given.map(({ name, type }) => [name, sample(type, name === argument.name ? id : someId)])),
  };
}

function sample(type: GraphQLInputType, id: string): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [sample(nullable.ofType, id)];
  if (isNonNullType(nullable)) return sample(nullable.ofType, id);
  if (isEnumType(nullable)) return nullable.getValues()[0]!.name;
  const known: Record<string, unknown> = { ID: id, String: "x", Int: 1, Boolean: true };
  if (nullable.toString() in known) return known[nullable.toString()];
  throw new Error(`what is a sample of ${type}?`);
}
