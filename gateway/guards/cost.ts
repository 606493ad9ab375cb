/** What an operation costs: how many fields its answer may have. Where variables say how long lists are, it is a sum over them, else a number. */

export interface Cost {
  readonly fixed: number;
  readonly lists: readonly { readonly size: VariableSize; readonly of: Cost }[];
}

/** The length of a list that a variable gives: by its value (`first: $n`) or by the length of its own list (`ids: $ids`). */
export interface VariableSize {
  readonly variable: string;
  /** Where the variable isn't given. */
  readonly otherwise: number;
}

export type Size = number | VariableSize;
export type Variables = Readonly<Record<string, unknown>> | null | undefined;

export const ONE: Cost = { fixed: 1, lists: [] };

export function sum(costs: readonly Cost[]): Cost {
  return {
    fixed: costs.reduce((all, { fixed }) => all + fixed, 0),
    lists: costs.flatMap(({ lists }) => lists),
  };
}

export function times(size: Size, cost: Cost): Cost {
  if (typeof size !== "number") return { fixed: 0, lists: [{ size, of: cost }] };
  return {
    fixed: size * cost.fixed,
    lists: cost.lists.map((list) => ({ size: list.size, of: times(size, list.of) })),
  };
}

/** The cost with these variables; values of a wrong type are left for the execution to refuse. */
export function costWith({ fixed, lists }: Cost, variables: Variables): number {
  let cost = fixed;
  for (const { size, of } of lists) cost += sizeWith(size, variables) * costWith(of, variables);
  return cost;
}

function sizeWith({ variable, otherwise }: VariableSize, variables: Variables): number {
  const value = variables?.[variable];
  if (typeof value === "number") return Math.max(0, value);
  return Array.isArray(value) ? value.length : otherwise;
}
