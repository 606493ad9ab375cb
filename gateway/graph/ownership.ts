/**
 * Which service has which field, and how a service is asked for more of an object by its key. In: the subgraphs' schemas with their
 * directives (`@key`, `@merge` of npm `@graphql-tools/stitching-directives`). Out: what the planner asks (planner.ts).
 *
 * Only the one form of `@merge` that services of ours have is known here, a list of objects by a list of keys; the planner leaves all else
 * to stitching.
 */

import {
  type ConstDirectiveNode,
  getNullableType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isListType,
  isObjectType,
  isRequiredArgument,
  Kind,
  OperationTypeNode,
} from "graphql";
import { SECOND } from "../../kit/time.ts";

/** `Query.field(argument: [key, …])` gives the objects of these keys, in their order, null for unknown ones. */
export interface EntryPoint {
  readonly field: string;
  readonly argument: string;
  /** The type of the argument in SDL, such as `[ID!]!`. */
  readonly argumentType: string;
  /** The field of the object that is its key. */
  readonly key: string;
}

interface Part {
  readonly schema: GraphQLSchema;
  /** By the name of the type. */
  readonly entryPoints: ReadonlyMap<string, EntryPoint>;
}

export class Ownership {
  readonly #parts: ReadonlyMap<string, Part>;

  /** @param schemas by the name of the service, in the order in which they are preferred where several have a field */
  constructor(schemas: ReadonlyMap<string, GraphQLSchema>) {
    this.#parts = new Map(
      [...schemas].map(([service, schema]) => [service, { schema, entryPoints: entryPointsOf(schema) }]),
    );
  }

  /** The service that has this root field; undefined where none does. */
  rootOwner(operation: OperationTypeNode, field: string): string | undefined {
    for (const [service, { schema }] of this.#parts) {
      if (schema.getRootType(operation)?.getFields()[field] !== undefined) return service;
    }
    return undefined;
  }

  has(service: string, type: string, field: string): boolean {
    return this.#fields(service, type)?.[field] !== undefined;
  }

  /** The services that have the field and can be asked for it by the object's key. */
  joinable(type: string, field: string): string[] {
    return [...this.#parts.keys()].filter((service) =>
      this.has(service, type, field) && this.entryPoint(service, type) !== undefined
    );
  }

  entryPoint(service: string, type: string): EntryPoint | undefined {
    return this.#parts.get(service)?.entryPoints.get(type);
  }

  /** How long every viewer may be given the same value of the field, in milliseconds: what `@cacheControl` says of it or of its type. */
  maxAgeMs(service: string, type: string, field: string): number {
    if (field === "__typename") return Infinity;
    const object = this.schema(service)?.getType(type);
    return hint(this.#fields(service, type)?.[field]?.astNode) ?? hint(object?.astNode) ?? 0;
  }

  schema(service: string): GraphQLSchema | undefined {
    return this.#parts.get(service)?.schema;
  }

  #fields(service: string, type: string): Record<string, GraphQLField<unknown, unknown>> | undefined {
    const found = this.schema(service)?.getType(type);
    return isObjectType(found) ? found.getFields() : undefined;
  }
}

function entryPointsOf(schema: GraphQLSchema): Map<string, EntryPoint> {
  const found = new Map<string, EntryPoint>();
  const mentions = new Map<string, number>();
  for (const field of Object.values(schema.getRootType(OperationTypeNode.QUERY)?.getFields() ?? {})) {
    const merge = field.astNode?.directives?.find(({ name }) => name.value === "merge");
    if (merge === undefined) continue;
    const type = listed(field);
    if (type === undefined) continue;
    mentions.set(type.name, (mentions.get(type.name) ?? 0) + 1);
    const given = textArguments(merge);
    const key = given?.keyField;
    const argument = given?.keyArg ?? (field.args.length === 1 ? field.args[0]!.name : undefined);
    const taken = field.args.find(({ name }) => name === argument);
    if (given === undefined || key === undefined || taken === undefined) continue;
    if (Object.keys(given).some((name) => name !== "keyField" && name !== "keyArg")) continue;
    if (field.args.some((one) => one !== taken && isRequiredArgument(one))) continue;
    if (type.getFields()[key] === undefined) continue;
    found.set(type.name, { field: field.name, argument: taken.name, argumentType: String(taken.type), key });
  }
  // Of several ways to a type, stitching knows which to take.
  for (const [type, count] of mentions) if (count > 1) found.delete(type);
  return found;
}

function hint(node: { readonly directives?: readonly ConstDirectiveNode[] } | null | undefined): number | undefined {
  const given = node?.directives?.find(({ name }) => name.value === "cacheControl");
  if (given === undefined) return undefined;
  const { maxAge, scope } = Object.fromEntries((given.arguments ?? []).map(({ name, value }) => [name.value, value]));
  if (scope?.kind === Kind.ENUM && scope.value !== "PUBLIC") return 0;
  return maxAge?.kind === Kind.INT ? Number(maxAge.value) * SECOND : 0;
}

/** The object type of which the field gives a list. */
function listed(field: GraphQLField<unknown, unknown>): GraphQLObjectType | undefined {
  const list = getNullableType(field.type);
  const item = isListType(list) ? getNullableType(list.ofType) : undefined;
  return isObjectType(item) ? item : undefined;
}

/** A directive's arguments; undefined where one is no text. */
function textArguments(directive: ConstDirectiveNode): Record<string, string> | undefined {
  const all: Record<string, string> = {};
  for (const { name, value } of directive.arguments ?? []) {
    if (value.kind !== Kind.STRING) return undefined;
    all[name.value] = value.value;
  }
  return all;
}
