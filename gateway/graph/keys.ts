/** By which fields a service's types are joined with other services' (`@key` and `@merge` of npm `@graphql-tools/stitching-directives`). */

import { type ConstDirectiveNode, getNamedType, type GraphQLNamedType, type GraphQLSchema, Kind, parse } from "graphql";

const known = new WeakMap<GraphQLSchema, ReadonlyMap<string, ReadonlySet<string>>>();

/** The key fields of each type that the service can be asked for by its key; the outermost ones of a key that is nested. */
export function keyFields(schema: GraphQLSchema): ReadonlyMap<string, ReadonlySet<string>> {
  let keys = known.get(schema);
  if (keys === undefined) known.set(schema, keys = read(schema));
  return keys;
}

function read(schema: GraphQLSchema): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>();
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const merge = field.astNode?.directives?.find(({ name }) => name.value === "merge");
    if (merge === undefined) continue;
    const type = getNamedType(field.type);
    const own = [textArgument(merge, "keyField") ?? [], ...keysOfType(type)].flat();
    keys.set(type.name, new Set([...keys.get(type.name) ?? [], ...own]));
  }
  return keys;
}

function keysOfType(type: GraphQLNamedType): string[] {
  const nodes = [type.astNode, ...type.extensionASTNodes];
  return nodes.flatMap((node) => node?.directives ?? [])
    .filter(({ name }) => name.value === "key")
    .flatMap((directive) => outermost(textArgument(directive, "selectionSet")));
}

function outermost(selectionSet: string | undefined): string[] {
  try {
    const [definition] = parse(selectionSet ?? "").definitions;
    if (definition?.kind !== Kind.OPERATION_DEFINITION) return [];
    return definition.selectionSet.selections.flatMap((one) => one.kind === Kind.FIELD ? [one.name.value] : []);
  } catch {
    // What is wrong with it, stitching says.
    return [];
  }
}

function textArgument({ arguments: given }: ConstDirectiveNode, name: string): string | undefined {
  const value = given?.find((one) => one.name.value === name)?.value;
  return value?.kind === Kind.STRING ? value.value : undefined;
}
