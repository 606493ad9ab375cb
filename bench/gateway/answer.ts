/**
 * GraphQL from memory at the least cost: a subgraph that shares a core with the load generator must not be what is measured. It believes
 * the gateway, so it validates nothing; each document is parsed once.
 */

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  valueFromASTUntyped,
} from "graphql";
import { LRUCache } from "lru-cache";

export interface Question {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

type Values = Readonly<Record<string, unknown>>;
type Selected = readonly { readonly key: string; readonly field: FieldNode; readonly below: Selected | undefined }[];

const known = new LRUCache<string, Selected>({ max: 2_000 });

/** The data for `question`; a function among the values of `root` is given the field's arguments. */
export function answer({ query, variables = {} }: Question, root: Values): { data: unknown } {
  let selected = known.get(query);
  if (selected === undefined) known.set(query, selected = selectedOf(parse(query, { noLocation: true })));
  return { data: select(selected, root, variables) };
}

/** The fields that are asked for, with fragments in place: each type of the bench has the fields that are asked of it. */
function selectedOf(document: DocumentNode): Selected {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const flat = (set: SelectionSetNode): Selected =>
    set.selections.flatMap((one) => {
      if (one.kind === Kind.INLINE_FRAGMENT) return flat(one.selectionSet);
      if (one.kind === Kind.FRAGMENT_SPREAD) return flat(fragments.get(one.name.value)!.selectionSet);
      const below = one.selectionSet && flat(one.selectionSet);
      return [{ key: one.alias?.value ?? one.name.value, field: one, below }];
    });
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  return flat((operation as OperationDefinitionNode).selectionSet);
}

function select(selected: Selected, values: Values, variables: Values): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { key, field, below } of selected) {
    const value = values[field.name.value];
    const found = typeof value === "function" ? value(argumentsOf(field, variables)) : value;
    result[key] = below === undefined || found == null
      ? found
      : Array.isArray(found)
      ? found.map((one) => one && select(below, one, variables))
      : select(below, found as Values, variables);
  }
  return result;
}

function argumentsOf(field: FieldNode, variables: Values): Values {
  const given: Record<string, unknown> = {};
  for (const { name, value } of field.arguments ?? []) given[name.value] = valueFromASTUntyped(value, variables);
  return given;
}
