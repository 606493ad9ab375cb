/**
 * What an operation selects of an object, with its fragments spread and its `@skip` and `@include` decided, as graphql-js's executor
 * collects it. In: selection sets. Out: by response key the field's nodes, in the order of the answer.
 */

import {
  type FieldNode,
  type FragmentDefinitionNode,
  getDirectiveValues,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  isAbstractType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";

export type Selected = ReadonlyMap<string, readonly FieldNode[]>;
export type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

export interface Conditions {
  readonly schema: GraphQLSchema;
  readonly fragments: Fragments;
  /** The values on which `@skip` and `@include` depend. */
  readonly variables: Readonly<Record<string, unknown>>;
}

export function select(
  conditions: Conditions,
  type: GraphQLObjectType,
  sets: readonly SelectionSetNode[],
): Selected {
  const selected = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  for (const set of sets) collect(conditions, type, set, selected, spread);
  return selected;
}

function collect(
  conditions: Conditions,
  type: GraphQLObjectType,
  set: SelectionSetNode,
  selected: Map<string, FieldNode[]>,
  spread: Set<string>,
): void {
  for (const selection of set.selections) {
    if (!isIncluded(selection, conditions.variables)) continue;
    if (selection.kind === Kind.FIELD) {
      const key = selection.alias?.value ?? selection.name.value;
      const nodes = selected.get(key);
      if (nodes === undefined) selected.set(key, [selection]);
      else nodes.push(selection);
      continue;
    }
    let fragment: {
      readonly typeCondition?: { readonly name: { readonly value: string } };
      selectionSet: SelectionSetNode;
    };
    if (selection.kind === Kind.INLINE_FRAGMENT) fragment = selection;
    else {
      const name = selection.name.value;
      if (spread.has(name)) continue;
      spread.add(name);
      fragment = conditions.fragments[name]!;
    }
    if (applies(conditions.schema, fragment.typeCondition?.name.value, type)) {
      collect(conditions, type, fragment.selectionSet, selected, spread);
    }
  }
}

export function isIncluded(node: SelectionNode, variables: Readonly<Record<string, unknown>>): boolean {
  if (node.directives === undefined || node.directives.length === 0) return true;
  const values = { ...variables };
  if (getDirectiveValues(GraphQLSkipDirective, node, values)?.if === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, values)?.if !== false;
}

function applies(schema: GraphQLSchema, condition: string | undefined, type: GraphQLObjectType): boolean {
  if (condition === undefined || condition === type.name) return true;
  const named = schema.getType(condition);
  return isAbstractType(named) && schema.isSubType(named, type);
}
