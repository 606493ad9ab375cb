/**
 * What a document asks for, measured once, when it is first seen, and before it is validated: validation itself costs up to the square of
 * its size. In: a parsed document. Out: what executing each of its operations costs, and where they sign in; or what is too much of it.
 *
 * One walk for all of it, over operations as they are executed: a fragment counts wherever it is spread. What the schema doesn't know is
 * passed over, since validation names it. (The rules of npm graphql-armor would be four walks, of which the one for the cost knows
 * neither variables nor how long a list is where nobody says so.)
 */

import {
  type ArgumentNode,
  type ConstValueNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  getNamedType,
  getNullableType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionNode,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from "graphql";
import { UserError } from "../../kit/errors.ts";
import { type Cost, ONE, type Size, sum, times } from "./cost.ts";

/** How much of each a document may have. */
export interface DocumentLimits {
  /** Levels of fields; those of introspection have graphql-js's own limit. */
  readonly depth: number;
  /** Fields and fragments. */
  readonly fields: number;
  readonly aliases: number;
  readonly directives: number;
}

export interface OperationMeasure {
  readonly rootFields: number;
  readonly cost: Cost;
  readonly signIns: readonly SignIn[];
}

export interface DocumentMeasure {
  /** By their names; the one without a name by `""`. */
  readonly operations: ReadonlyMap<string, OperationMeasure>;
  /** Fields and fragments. */
  readonly size: number;
}

/** A field that takes a password, or is about one; `account` is whose, where an argument says so. */
export interface SignIn {
  readonly account: string | VariableAccount | undefined;
}

/** An account that a variable names. */
export interface VariableAccount {
  readonly variable: string;
  /** Where the variable isn't given. */
  readonly otherwise: string | undefined;
}

const SIGN_IN = /password|^(login|register)$/i;
const ACCOUNT = /^(e-?mail|user(name)?|account|login)$/i;
const SLICE = /^(first|last|limit)$/;
/** Of the whole schema, however much of it: its lists are what they are, and take some milliseconds. */
const INTROSPECTION: Cost = { fixed: 20_000, lists: [] };
/** How long a list is taken to be where nothing says so. */
const UNKNOWN_SIZE = 10;

/** @throws UserError `BAD_USER_INPUT` where it asks for too much */
export function measureDocument(
  document: DocumentNode,
  schema: GraphQLSchema,
  limits: DocumentLimits,
): DocumentMeasure {
  const walk = new Walk(document, schema, limits);
  const operations = new Map<string, OperationMeasure>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      operations.set(definition.name?.value ?? "", walk.operation(definition));
    }
  }
  walk.unusedFragments();
  return { operations, size: walk.size };
}

class Walk {
  size = 0;
  #aliases = 0;
  #directives = 0;
  #rootFields = 0;
  #signIns: SignIn[] = [];
  #operation: OperationDefinitionNode | undefined;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #used = new Set<string>();
  /** Fragments within which the walk is: one that has itself in it is refused by validation. */
  readonly #path = new Set<string>();

  constructor(
    { definitions }: DocumentNode,
    private readonly schema: GraphQLSchema,
    private readonly limits: DocumentLimits,
  ) {
    for (const one of definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(one.name.value, one);
  }

  operation(operation: OperationDefinitionNode): OperationMeasure {
    this.#operation = operation;
    this.#rootFields = 0;
    this.#signIns = [];
    this.#countDirectives(operation);
    const root = this.schema.getRootType(operation.operation) ?? undefined;
    const cost = this.#selections(operation.selectionSet, root, 1, undefined);
    return { rootFields: this.#rootFields, cost, signIns: this.#signIns };
  }

  /** Validation looks at them too, before it says that nobody uses them. */
  unusedFragments(): void {
    for (const [name, { selectionSet, typeCondition }] of this.#fragments) {
      if (!this.#used.has(name)) {
        this.#selections(selectionSet, this.schema.getType(typeCondition.name.value), 1, undefined);
      }
    }
  }

  /** `size` is how many the field around these was asked for. */
  #selections(
    set: SelectionSetNode,
    parent: GraphQLNamedType | undefined,
    depth: number,
    size: Size | undefined,
  ): Cost {
    return sum(set.selections.map((selection) => this.#selection(selection, parent, depth, size)));
  }

  #selection(
    selection: SelectionNode,
    parent: GraphQLNamedType | undefined,
    depth: number,
    size: Size | undefined,
  ): Cost {
    if (++this.size > this.limits.fields) throw tooMuch("fields and fragments", this.limits.fields);
    this.#countDirectives(selection);
    if (selection.kind === Kind.FIELD) return this.#field(selection, parent, depth, size);
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const type = selection.typeCondition ? this.schema.getType(selection.typeCondition.name.value) : parent;
      return this.#selections(selection.selectionSet, type, depth, size);
    }
    const name = selection.name.value;
    const fragment = this.#fragments.get(name);
    if (fragment === undefined || this.#path.has(name)) return sum([]);
    this.#used.add(name);
    this.#path.add(name);
    const type = this.schema.getType(fragment.typeCondition.name.value);
    const cost = this.#selections(fragment.selectionSet, type, depth, size);
    this.#path.delete(name);
    return cost;
  }

  #field(node: FieldNode, parent: GraphQLNamedType | undefined, depth: number, size: Size | undefined): Cost {
    const name = node.name.value;
    const isIntrospection = name.startsWith("__") || parent?.name.startsWith("__") === true;
    if (depth > this.limits.depth && !isIntrospection) throw tooMuch("levels", this.limits.depth);
    if (depth === 1) this.#rootFields++;
    const definition = fieldOf(parent, name);
    if (definition !== undefined && isAboutSignIn(definition)) {
      this.#signIns.push({ account: this.#account(node, definition) });
    } else if (node.alias !== undefined && ++this.#aliases > this.limits.aliases) {
      // Fields that sign in are counted one by one instead, by rates.
      throw tooMuch("aliases", this.limits.aliases);
    }
    const slice = definition && this.#slice(node, definition);
    const below = node.selectionSet === undefined
      ? []
      : [this.#selections(node.selectionSet, getNamedType(definition?.type), depth + 1, slice)];
    if (isIntrospection) return name === SchemaMetaFieldDef.name ? INTROSPECTION : ONE;
    const cost = sum([ONE, ...below]);
    if (definition === undefined || !isListType(getNullableType(definition.type))) return cost;
    return times(slice ?? size ?? this.#given(node, definition) ?? UNKNOWN_SIZE, cost);
  }

  /** How many are asked for: `first: 20`. */
  #slice(node: FieldNode, { args }: GraphQLField<unknown, unknown>): Size | undefined {
    const sized = args.filter((one) => SLICE.test(one.name));
    const given = sized.find((one) => argument(node, one) !== undefined) ?? sized[0];
    return given && this.#size(node, given);
  }

  /** A list for a list: `acknowledgeNotifications(ids: […])`. */
  #given(node: FieldNode, { args }: GraphQLField<unknown, unknown>): Size | undefined {
    const list = args.find(({ type }) => isListType(getNullableType(type)));
    return list && this.#size(node, list);
  }

  #size(node: FieldNode, definition: GraphQLArgument): Size {
    const { defaultValue } = definition;
    const otherwise = typeof defaultValue === "number"
      ? defaultValue
      : Array.isArray(defaultValue)
      ? defaultValue.length
      : UNKNOWN_SIZE;
    const value = argument(node, definition)?.value;
    if (value?.kind === Kind.INT) return Math.max(0, Number(value.value));
    if (value?.kind === Kind.LIST) return value.values.length;
    if (value?.kind !== Kind.VARIABLE) return otherwise;
    const variable = value.name.value;
    const own = this.#defaultOf(variable);
    return { variable, otherwise: own?.kind === Kind.INT ? Math.max(0, Number(own.value)) : otherwise };
  }

  #account(node: FieldNode, { args }: GraphQLField<unknown, unknown>): SignIn["account"] {
    const named = args.find(({ name }) => ACCOUNT.test(name));
    const value = named && argument(node, named)?.value;
    if (value?.kind === Kind.STRING) return value.value;
    if (value?.kind !== Kind.VARIABLE) return undefined;
    const variable = value.name.value;
    const own = this.#defaultOf(variable);
    return { variable, otherwise: own?.kind === Kind.STRING ? own.value : undefined };
  }

  #defaultOf(variable: string): ConstValueNode | undefined {
    return this.#operation?.variableDefinitions?.find((one) => one.variable.name.value === variable)?.defaultValue;
  }

  #countDirectives({ directives = [] }: SelectionNode | OperationDefinitionNode): void {
    this.#directives += directives.length;
    if (this.#directives > this.limits.directives) throw tooMuch("directives", this.limits.directives);
  }
}

const META_FIELDS = new Map([SchemaMetaFieldDef, TypeMetaFieldDef, TypeNameMetaFieldDef].map((one) => [one.name, one]));

function fieldOf(parent: GraphQLNamedType | undefined, name: string): GraphQLField<unknown, unknown> | undefined {
  const own = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
  return own ?? META_FIELDS.get(name);
}

function argument({ arguments: given = [] }: FieldNode, { name }: GraphQLArgument): ArgumentNode | undefined {
  return given.find((one) => one.name.value === name);
}

function isAboutSignIn({ name, args }: GraphQLField<unknown, unknown>): boolean {
  return SIGN_IN.test(name) || args.some((one) => SIGN_IN.test(one.name));
}

function tooMuch(what: string, limit: number): UserError {
  return new UserError("BAD_USER_INPUT", `the document has more than ${limit} ${what}`);
}
