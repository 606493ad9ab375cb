/**
 * Makes the plan of an operation: each field is asked of the service that has it, of the one at hand where that has it too; what others
 * have of an object is joined by its key, with one request for each service and level.
 *
 * In: a checked document, and the values on which `@skip` and `@include` depend. Out: a plan, or undefined for what is left to stitching
 * or to graphql-js: introspection, types joined in another way than by a list of keys, joins below interfaces and unions.
 */

import {
  type DocumentNode,
  type FieldNode,
  getNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parseType,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
  type VariableDefinitionNode,
  visit,
} from "graphql";
import { UserError } from "../../kit/errors.ts";
import type { EntryPoint, Ownership } from "./ownership.ts";
import type {
  Child,
  Join,
  LevelRequest,
  Plan,
  PlannedDocument,
  RootField,
  RootRequest,
  Shape,
  ShapeField,
} from "./plan.ts";
import { type Conditions, type Fragments, isIncluded, select, type Selected } from "./selection.ts";

/** A document of nested fragments can stand for far more fields than it has. */
const FIELD_LIMIT = 5_000;

/** What a plan can't say: the operation is left to stitching. */
class Unplanned extends Error {}

interface JoinPlan extends Join {
  readonly level: number;
  readonly service: string;
  readonly entry: EntryPoint;
  readonly selectionSet: SelectionSetNode;
}

export function makePlan(
  schema: GraphQLSchema,
  ownership: Ownership,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Plan | undefined {
  if (operation.operation === OperationTypeNode.SUBSCRIPTION) return undefined;
  try {
    return new Planner(schema, ownership, document, operation, variables).plan();
  } catch (error) {
    if (error instanceof Unplanned) return undefined;
    throw error;
  }
}

class Planner {
  readonly #conditions: Conditions;
  readonly #joins: JoinPlan[] = [];
  readonly #taken: ReadonlySet<string>;
  #fields = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly ownership: Ownership,
    document: DocumentNode,
    private readonly operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ) {
    const fragments: Record<string, Fragments[string]> = Object.create(null);
    for (const one of document.definitions) {
      if (one.kind === Kind.FRAGMENT_DEFINITION) fragments[one.name.value] = one;
    }
    this.#conditions = { schema, fragments, variables };
    this.#taken = new Set((operation.variableDefinitions ?? []).map((one) => one.variable.name.value));
  }

  plan(): Plan {
    const { operation } = this.operation;
    const root = this.schema.getRootType(operation)!;
    const selected = select(this.#conditions, root, [this.operation.selectionSet]);
    const roots: { service: string; keys: string[]; selections: SelectionNode[] }[] = [];
    const fields: RootField[] = [];
    for (const [key, nodes] of selected) {
      const name = nodes[0]!.name.value;
      if (name === "__typename") {
        fields.push({ key, from: -1, isNonNull: true, child: undefined });
        continue;
      }
      const service = this.ownership.rootOwner(operation, name);
      if (service === undefined) throw new Unplanned();
      let from = roots.findIndex((one) => one.service === service);
      // Mutations go in the order of the document: only neighbours share a request.
      if (operation === OperationTypeNode.MUTATION && from !== roots.length - 1) from = -1;
      if (from < 0) from = roots.push({ service, keys: [], selections: [] }) - 1;
      const { node, child } = this.#field(service, root, key, nodes, 1);
      roots[from]!.keys.push(key);
      roots[from]!.selections.push(node);
      fields.push({ key, from, isNonNull: this.#isNonNull(root, nodes[0]!), child });
    }
    const requests = roots.map(({ service, keys, selections }): RootRequest => ({
      ...this.#document(service, operation, { kind: Kind.SELECTION_SET, selections }, []),
      keys,
    }));
    const joins: Join[] = this.#joins.map(
      ({ level: _, service: __, entry: ___, selectionSet: ____, ...join }) => join,
    );
    const isWhole = requests.length === 1 && fields.every(({ from, child }) => from === 0 && child === undefined);
    return { operation, roots: requests, fields, joins, levels: this.#levels(), isWhole, rootName: root.name };
  }

  /** One field as `service` is asked for it. */
  #field(
    service: string,
    parent: GraphQLObjectType,
    key: string,
    nodes: readonly FieldNode[],
    level: number,
  ): { node: FieldNode; child: Child | undefined } {
    if (++this.#fields > FIELD_LIMIT) {
      throw new UserError("BAD_USER_INPUT", `the document asks for more than ${FIELD_LIMIT} fields`);
    }
    const [first] = nodes as readonly [FieldNode];
    const { name, arguments: args } = first;
    const alias = key === name.value ? undefined : { kind: Kind.NAME as const, value: key };
    const bare: FieldNode = { kind: Kind.FIELD, name, alias, arguments: args };
    if (name.value === "__typename") return { node: bare, child: undefined };
    const { type } = parent.getFields()[name.value]!;
    const named = getNamedType(type);
    if (isLeafType(named)) return { node: bare, child: undefined };
    const sets = nodes.flatMap((node) => node.selectionSet ?? []);
    if (isAbstractType(named)) {
      const selections = sets.flatMap((set) => this.#verbatim(service, named.name, set));
      return { node: { ...bare, selectionSet: { kind: Kind.SELECTION_SET, selections } }, child: undefined };
    }
    if (!isObjectType(named)) throw new Unplanned();
    const { selectionSet, shape } = this.#object(service, named, select(this.#conditions, named, sets), level);
    const child = shape && { key, shape, nonNull: nonNullOf(type) };
    return { node: { ...bare, selectionSet }, child };
  }

  /** An object's fields: those that `service` has, and by joins those of others. */
  #object(
    service: string,
    type: GraphQLObjectType,
    selected: Selected,
    level: number,
  ): { selectionSet: SelectionSetNode; shape: Shape | undefined } {
    const selections: SelectionNode[] = [];
    const children: Child[] = [];
    const elsewhere = new Map<string, Map<string, readonly FieldNode[]>>();
    const fields: { key: string; service: string | undefined; isNonNull: boolean }[] = [];
    for (const [key, nodes] of selected) {
      const name = nodes[0]!.name.value;
      const isNonNull = this.#isNonNull(type, nodes[0]!);
      if (name === "__typename" || this.ownership.has(service, type.name, name)) {
        const { node, child } = this.#field(service, type, key, nodes, level);
        selections.push(node);
        if (child !== undefined) children.push(child);
        fields.push({ key, service: undefined, isNonNull });
        continue;
      }
      const owners = this.ownership.joinable(type.name, name);
      const owner = owners.find((one) => elsewhere.has(one)) ?? owners[0];
      if (owner === undefined) throw new Unplanned();
      if (!elsewhere.has(owner)) elsewhere.set(owner, new Map());
      elsewhere.get(owner)!.set(key, nodes);
      fields.push({ key, service: owner, isNonNull });
    }
    const joinOf = new Map<string, number>();
    for (const [owner, wanted] of elsewhere) {
      joinOf.set(owner, this.#join(service, owner, type, wanted, selected, selections, level));
    }
    if (selected.size === 0) {
      // All of it is skipped, and something has to be asked for.
      selections.push({ kind: Kind.FIELD, name: nameOf("__typename") });
      return { selectionSet: setOf(selections), shape: { children, fields: [], joins: [] } };
    }
    if (joinOf.size === 0 && children.length === 0) return { selectionSet: setOf(selections), shape: undefined };
    const shape: Shape = {
      children,
      fields: joinOf.size === 0 ? undefined : fields.map(({ key, service, isNonNull }): ShapeField => (
        { key, join: service === undefined ? -1 : joinOf.get(service)!, isNonNull }
      )),
      joins: [...joinOf.values()],
    };
    return { selectionSet: setOf(selections), shape };
  }

  #join(
    service: string,
    owner: string,
    type: GraphQLObjectType,
    wanted: Selected,
    selected: Selected,
    selections: SelectionNode[],
    level: number,
  ): number {
    const entry = this.ownership.entryPoint(owner, type.name)!;
    if (!this.ownership.has(service, type.name, entry.key)) throw new Unplanned();
    let keyAs = `_key_${entry.key}`;
    // Whoever calls a field of theirs so keeps it.
    while (selected.has(keyAs)) keyAs = `_${keyAs}`;
    if (!selections.some((one) => one.kind === Kind.FIELD && one.alias?.value === keyAs)) {
      selections.push({ kind: Kind.FIELD, alias: nameOf(keyAs), name: nameOf(entry.key) });
    }
    const id = this.#joins.length;
    let variable = `keys_${id}`;
    while (this.#taken.has(variable)) variable = `${variable}_`;
    // Its number comes before those below it.
    this.#joins.push(undefined as never);
    const { selectionSet, shape } = this.#object(owner, type, wanted, level + 1);
    this.#joins[id] = {
      id,
      level,
      service: owner,
      type: type.name,
      keys: [...wanted.keys()],
      entry,
      keyAs,
      variable,
      alias: `rows_${id}`,
      selectionSet,
      shape,
      keptForMs: this.#keptForMs(owner, type, selectionSet, shape),
      keptAs: `${owner} ${type.name} ${print(selectionSet)} `,
    };
    return id;
  }

  /** How long every viewer may be given the same row: only of plain fields, each with a hint of its service and without variables. */
  #keptForMs(service: string, type: GraphQLObjectType, set: SelectionSetNode, shape: Shape | undefined): number {
    if (shape !== undefined) return 0;
    const ages = set.selections.map((selection) => {
      const isPlain = selection.kind === Kind.FIELD && selection.selectionSet === undefined &&
        (selection.arguments ?? []).every(({ value }) => isConstant(value));
      return isPlain ? this.ownership.maxAgeMs(service, type.name, selection.name.value) : 0;
    });
    return Math.min(...ages);
  }

  /** Below an interface or a union: as it stands, where the service has all of it. */
  #verbatim(service: string, typeName: string, set: SelectionSetNode): SelectionNode[] {
    const type = this.ownership.schema(service)?.getType(typeName);
    if (!isAbstractType(type) && !isObjectType(type)) throw new Unplanned();
    return set.selections.filter((one) => isIncluded(one, this.#conditions.variables)).flatMap((selection) => {
      if (++this.#fields > FIELD_LIMIT) {
        throw new UserError("BAD_USER_INPUT", `the document asks for more than ${FIELD_LIMIT} fields`);
      }
      if (selection.kind !== Kind.FIELD) {
        const fragment = selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : this.#conditions.fragments[selection.name.value]!;
        const { typeCondition } = fragment;
        const selections = this.#verbatim(service, typeCondition?.name.value ?? typeName, fragment.selectionSet);
        return selections.length === 0
          ? []
          : { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet: setOf(selections) } as SelectionNode;
      }
      const { name, alias, arguments: args, selectionSet } = selection;
      const bare: FieldNode = { kind: Kind.FIELD, name, alias, arguments: args };
      if (name.value === "__typename") return bare;
      const field = "getFields" in type ? type.getFields()[name.value] : undefined;
      if (field === undefined) throw new Unplanned();
      if (selectionSet === undefined) return bare;
      return {
        ...bare,
        selectionSet: setOf(this.#verbatim(service, getNamedType(field.type).name, selectionSet)),
      };
    });
  }

  #isNonNull(parent: GraphQLObjectType, node: FieldNode): boolean {
    return node.name.value === "__typename" || isNonNullType(parent.getFields()[node.name.value]!.type);
  }

  #levels(): LevelRequest[][] {
    const levels: LevelRequest[][] = [];
    for (const [level, joins] of Map.groupBy(this.#joins, (join) => join.level)) {
      levels[level - 1] = [...Map.groupBy(joins, (join) => join.service)].map(([service, together]) => {
        const selections = together.map(({ alias, entry, variable, selectionSet }): FieldNode => ({
          kind: Kind.FIELD,
          alias: nameOf(alias),
          name: nameOf(entry.field),
          arguments: [{
            kind: Kind.ARGUMENT,
            name: nameOf(entry.argument),
            value: { kind: Kind.VARIABLE, name: nameOf(variable) },
          }],
          selectionSet,
        }));
        const keys = together.map(({ variable, entry }): VariableDefinitionNode => ({
          kind: Kind.VARIABLE_DEFINITION,
          variable: { kind: Kind.VARIABLE, name: nameOf(variable) },
          type: parseType(entry.argumentType) as TypeNode,
        }));
        return {
          ...this.#document(service, OperationTypeNode.QUERY, setOf(selections), keys),
          joins: together.map(({ id }) => id),
        };
      });
    }
    return levels;
  }

  #document(
    service: string,
    operation: OperationTypeNode,
    selectionSet: SelectionSetNode,
    keys: readonly VariableDefinitionNode[],
  ): PlannedDocument {
    const used = new Set<string>();
    visit(selectionSet, {
      Variable: ({ name }) => {
        used.add(name.value);
      },
    });
    const own = (this.operation.variableDefinitions ?? []).filter((one) => used.has(one.variable.name.value));
    const variableDefinitions = [...keys, ...own.map((one) => ({ ...one, directives: [] }))];
    const document: DocumentNode = {
      kind: Kind.DOCUMENT,
      definitions: [{ kind: Kind.OPERATION_DEFINITION, operation, variableDefinitions, selectionSet }],
    };
    const text = print(document);
    return {
      service,
      document,
      text,
      json: JSON.stringify(text),
      variables: own.map((one) => one.variable.name.value),
    };
  }
}

function nameOf(value: string) {
  return { kind: Kind.NAME as const, value };
}

function setOf(selections: readonly SelectionNode[]): SelectionSetNode {
  return { kind: Kind.SELECTION_SET, selections };
}

/** From the outside to the inside, for each list and for what it holds in the end. */
function nonNullOf(type: GraphQLOutputType): boolean[] {
  const all: boolean[] = [];
  for (let rest: GraphQLOutputType = type;;) {
    const isNonNull = isNonNullType(rest);
    const inner: GraphQLOutputType = isNonNullType(rest) ? rest.ofType : rest;
    all.push(isNonNull);
    if (!isListType(inner)) return all;
    rest = inner.ofType;
  }
}

/** Whether there is no variable anywhere in it. */
function isConstant(value: ValueNode): boolean {
  if (value.kind === Kind.LIST) return value.values.every(isConstant);
  if (value.kind === Kind.OBJECT) return value.fields.every((field) => isConstant(field.value));
  return value.kind !== Kind.VARIABLE;
}
