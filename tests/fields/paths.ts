/**
 * Every way from a type of the graph down to a leaf, made from the schema itself, so that a field that is added later is there too, and
 * documents that ask for one of them: as it is, by fragments and aliases, or with variables in its directives and arguments.
 */

import {
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  isEnumType,
  isLeafType,
  isListType,
  isObjectType,
} from "graphql";

export interface Step {
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
}
export type Path = readonly Step[];

/** How often one type may stand on a path, and how long a path may be. */
const MOST_OF_ONE_TYPE = 2;
const LONGEST = 8;

/** All of them; those that run in circles end there. */
export function pathsOf(parent: GraphQLObjectType, before: Path = []): Path[] {
  if (before.length === LONGEST) return [];
  if (before.filter((step) => step.parent === parent).length === MOST_OF_ONE_TYPE) return [];
  return Object.values(parent.getFields()).flatMap((field) => {
    const path = [...before, { parent, field }];
    const type = getNamedType(field.type);
    if (isLeafType(type)) return [path];
    if (isObjectType(type)) return pathsOf(type, path);
    throw new Error(`${parent.name}.${field.name}: what are all fields of a ${type.constructor.name}?`);
  });
}

export function nameOf(path: Path): string {
  return path.map(({ field }) => field.name).join(".");
}

export const STYLES = ["plain", "fragments", "variables"] as const;
export type Style = typeof STYLES[number];

/** What asks for a path: `selection` stands in an operation that declares the variables, `fragments` stands beside it. */
export interface Asking {
  readonly selection: string;
  readonly fragments: string;
  /** Each as an operation declares it. */
  readonly declarations: readonly string[];
}

/** `first`: an operation's own field, with its arguments, that gives what the first field of the path is. */
export function asking(path: Path, style: Style, first?: string): Asking {
  const declarations: string[] = [];
  if (style === "variables") declarations.push("$on: Boolean!", "$off: Boolean!");
  const selection = select(path, style, declarations, first);
  if (style !== "fragments") return { selection, fragments: "", declarations };
  const type = first === undefined ? path[0]!.parent.name : "Query";
  return { selection: "...All", fragments: `fragment All on ${type} { ${selection} }`, declarations };
}

/** Values for all variables that documents declare, another choice for each `nth`. */
export function valuesOf(path: Path, nth: number): Record<string, unknown> {
  const values = path.flatMap(({ field }, depth) =>
    field.args.map(({ name, type }) =>
      [variableOf(name, depth), name === "size" ? 16 + nth % 497 : valueOf(type, nth)] as const
    )
  ).filter(([, value]) => value !== undefined);
  return { on: nth % 2 === 0, off: nth % 3 === 0, ...Object.fromEntries(values) };
}

function select(path: Path, style: Style, declarations: string[], first?: string, depth = 0): string {
  const [{ parent, field }, ...rest] = path as [Step, ...Path];
  const alias = style === "fragments" ? siblingOf(parent, field.name) : field.name;
  const given = style !== "variables" || first !== undefined ? [] : field.args.map(({ name, type }) => {
    declarations.push(`$${variableOf(name, depth)}: ${type}`);
    return `${name}: $${variableOf(name, depth)}`;
  });
  const args = given.length > 0 ? `(${given.join(", ")})` : "";
  const directives = style !== "variables"
    ? ""
    : rest.length === 0
    ? ` @include(if: $on)${depth === 0 ? " @skip(if: $off)" : ""}`
    : rest.length === 1
    ? " @skip(if: $off)"
    : "";
  const asked = `${alias}: ${first ?? field.name}${args}${directives}`;
  if (rest.length === 0) return asked;
  const below = select(rest, style, declarations, undefined, depth + 1);
  const type = getNamedType(field.type).name;
  return style === "fragments"
    ? `${asked} { __typename ... on ${type} { ${below} } }`
    : `${asked} { __typename ${below} }`;
}

/** Another field's name as an alias, most often `id`: whoever goes by names alone would take one for the other. */
function siblingOf(parent: GraphQLObjectType, name: string): string {
  return Object.keys(parent.getFields()).find((one) => one !== name) ?? name;
}

function variableOf(argument: string, depth: number): string {
  return `${argument}${depth}`;
}

/** Undefined where nothing is given, which is not the same as null. */
function valueOf(type: GraphQLInputType, nth: number): unknown {
  const nullable = getNullableType(type);
  if (isListType(nullable)) return [];
  if (isEnumType(nullable)) return nullable.getValues()[nth % nullable.getValues().length]!.name;
  if (nullable.toString() === "Int") return 1 + nth % 3;
  if (nullable.toString() === "Boolean") return nth % 2 === 0;
  // Cursors and the like.
  if (nullable === type) return nth % 2 === 0 ? undefined : null;
  throw new Error(`what is a value of ${type}?`);
}
