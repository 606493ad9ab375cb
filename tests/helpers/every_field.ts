/** Operations over every root field of the graph: one that is right, as far as it goes, and those with each argument gone wrong. */

import {
  buildClientSchema,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
  OperationTypeNode,
} from "graphql";
import { graphql } from "./client.ts";

export interface AskedField {
  readonly operation: OperationTypeNode;
  readonly field: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What is no value of any argument, or might be taken for a part of SQL, of a path or of a template. */
const WRONG: readonly unknown[] = [
  "",
  "'",
  "\"'`;--",
  "'; drop table users; --",
  "' or '1'='1",
  "%00",
  "\0",
  "\ud800",
  "\\",
  "../../etc/passwd",
  "${7*7}{{7*7}}<img src=x>",
  "0190a6f0-0000-7000-8000-000000000000",
  "x".repeat(20_000),
  0,
  -1,
  2 ** 31 - 1,
  2 ** 53,
  1.5,
  true,
  null,
  [],
  ["'"],
  [null],
  [["x"]],
  {},
  { __proto__: null, constructor: "x" },
];

export async function schemaOf(url: string): Promise<GraphQLSchema> {
  return buildClientSchema((await graphql(url, getIntrospectionQuery())).data);
}

/** `known` has values that are right, by the argument's name. */
export function everyField(schema: GraphQLSchema, known: Readonly<Record<string, unknown>>): AskedField[] {
  return Object.values(OperationTypeNode).flatMap((operation) => {
    const fields = Object.values(schema.getRootType(operation)?.getFields() ?? {});
    return fields.flatMap((field) => asked(operation, field, known));
  });
}

function asked(
  operation: OperationTypeNode,
  field: GraphQLField<unknown, unknown>,
  known: Readonly<Record<string, unknown>>,
) {
  const selected = selection(getNamedType(field.type), 3);
  const right = Object.fromEntries(
    field.args.filter(isRequiredArgument).map(({ name, type }) => [name, known[name] ?? some(type)]),
  );
  const ask = (variables: Record<string, unknown>): AskedField => {
    const given = field.args.filter(({ name }) => name in variables);
    const list = (each: (one: typeof given[number]) => string) =>
      given.length === 0 ? "" : `(${given.map(each).join(", ")})`;
    const query = `${operation} ${list(({ name, type }) => `$${name}: ${type}`)} { ${field.name}${
      list(({ name }) => `${name}: $${name}`)
    } ${selected} }`;
    return { operation, field: field.name, query, variables };
  };
  return [
    ask(right),
    ...field.args.flatMap(({ name }) => WRONG.map((value) => ask({ ...right, [name]: value }))),
  ];
}

/** All fields that take no argument, some levels deep; what says where instances are is for people to see, and left out. */
function selection(type: GraphQLNamedType, levels: number): string {
  if (!isObjectType(type)) return "";
  const fields = Object.values(type.getFields()).filter(({ name, args }) =>
    !args.some(isRequiredArgument) && name !== "url"
  );
  const inner = fields.map((field) => {
    const of = getNamedType(field.type);
    if (isLeafType(of)) return field.name;
    return levels === 0 ? "" : `${field.name} ${selection(of, levels - 1)}`;
  });
  return `{ __typename ${inner.join(" ")} }`;
}

function some(type: GraphQLInputType): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [];
  if (isEnumType(nullable)) return nullable.getValues()[0]!.value;
  return nullable.toString() === "Int" ? 1 : nullable.toString() === "Boolean" ? true : "x";
}
