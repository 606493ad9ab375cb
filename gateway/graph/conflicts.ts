/**
 * What two services may not both say. In: the types of two. Out: what can't be composed, one line each.
 *
 * A type that one of them has a key for (`@key`, or a root field with `@merge`) is one type of both: they share its keys, and each other
 * field belongs to one of them. All other types that both have are values, which have to be alike. What begins with `_` is between a
 * service and the gateway, and no part of the graph.
 */

import {
  astFromValue,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  OperationTypeNode,
  print,
} from "graphql";
import { keyFields } from "./keys.ts";

export interface Part {
  readonly service: string;
  readonly schema: GraphQLSchema;
  /** Whether it may repeat fields of joined types: the gateway's own part repeats what its events carry. */
  readonly repeatsFields?: boolean;
}

const OPERATIONS = [OperationTypeNode.QUERY, OperationTypeNode.MUTATION, OperationTypeNode.SUBSCRIPTION];

/** What `one` says that can't stand beside `other`. */
export function conflictsBetween(one: Part, other: Part): string[] {
  const rootTypes = new Set(
    OPERATIONS.flatMap((operation) => [one, other].map(({ schema }) => schema.getRootType(operation)?.name)),
  );
  const found = OPERATIONS.flatMap((operation) => rootConflicts(one, other, operation));
  for (const type of Object.values(one.schema.getTypeMap())) {
    const { name } = type;
    const its = other.schema.getType(name);
    if (its === undefined || rootTypes.has(name) || isPrivate(name)) continue;
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    const keys = new Set([...keyFields(one.schema).get(name) ?? [], ...keyFields(other.schema).get(name) ?? []]);
    if (keys.size > 0 && isObjectType(type) && isObjectType(its)) {
      found.push(...joinedConflicts({ ...one, type }, { ...other, type: its }, keys));
    } else if (described(type) !== described(its)) {
      found.push(`${name} is not as ${other.service} has it, and has no @key`);
    }
  }
  return found;
}

function rootConflicts(one: Part, other: Part, operation: OperationTypeNode): string[] {
  const theirs = other.schema.getRootType(operation)?.getFields() ?? {};
  return Object.keys(one.schema.getRootType(operation)?.getFields() ?? {})
    .filter((name) => !isPrivate(name) && Object.hasOwn(theirs, name))
    .map((name) => `the ${operation} ${name} belongs to ${other.service}`);
}

type Side = Part & { readonly type: GraphQLObjectType };

function joinedConflicts(one: Side, other: Side, keys: ReadonlySet<string>): string[] {
  const { name } = one.type;
  const [fields, theirs] = [one.type.getFields(), other.type.getFields()];
  const repeats = one.repeatsFields || other.repeatsFields;
  const shared = Object.values(fields).flatMap((field) => {
    const its = theirs[field.name];
    if (its === undefined || (repeats && !keys.has(field.name))) return [];
    if (!keys.has(field.name)) return [`${name}.${field.name} belongs to ${other.service}`];
    if (fieldText(field) === fieldText(its)) return [];
    return [`${name}.${field.name} is ${field.type}, and ${its.type} in ${other.service}`];
  });
  return [...shared, ...repeats ? [] : [...unreachable(one, other), ...unreachable(other, one)]];
}

/** What `owner` knows of a type and can't be asked for by the objects that `elsewhere` has of it: it would be null without a word. */
function unreachable(owner: Side, elsewhere: Side): string[] {
  const { name } = owner.type;
  const theirs = elsewhere.type.getFields();
  const further = Object.keys(owner.type.getFields()).find((field) => !Object.hasOwn(theirs, field));
  if (further === undefined) return [];
  const key = keyFields(owner.schema).get(name);
  if (key === undefined) {
    return [
      `${name}.${further} of ${owner.service} can't be joined to the ${name} of ${elsewhere.service}: it has no @key`,
    ];
  }
  const missing = [...key].find((field) => !Object.hasOwn(theirs, field));
  return missing === undefined
    ? []
    : [`${name} of ${elsewhere.service} has no ${missing}, by which ${owner.service} has it`];
}

/** All that a value type is, but for its descriptions. */
function described(type: GraphQLNamedType): string {
  const kind = type.constructor.name;
  if (isEnumType(type)) return `${kind} ${sorted(type.getValues().map((value) => value.name))}`;
  if (isUnionType(type)) return `${kind} ${sorted(type.getTypes().map((member) => member.name))}`;
  if (isInputObjectType(type)) return `${kind} ${sorted(Object.values(type.getFields()).map(inputText))}`;
  if (!isObjectType(type) && !isInterfaceType(type)) return kind;
  const interfaces = sorted(type.getInterfaces().map((one) => one.name));
  return `${kind} ${interfaces} ${sorted(Object.values(type.getFields()).map(fieldText))}`;
}

function fieldText({ name, args, type }: GraphQLField<unknown, unknown>): string {
  return `${name}(${sorted(args.map(inputText))}): ${type}`;
}

function inputText({ name, type, defaultValue }: GraphQLArgument | GraphQLInputField): string {
  const value = defaultValue === undefined ? undefined : astFromValue(defaultValue, type);
  return `${name}: ${type}${value ? ` = ${print(value)}` : ""}`;
}

function sorted(parts: readonly string[]): string {
  return parts.toSorted().join(", ");
}

export function isPrivate(name: string): boolean {
  return name.startsWith("_");
}
