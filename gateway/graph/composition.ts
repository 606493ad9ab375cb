/**
 * Which types make up the graph. In: the graph as it is, and what services have now that isn't in it. Out: the graph with all of that in
 * it that goes together; and of the rest, why it is refused. What is refused leaves what its service has in the graph as it is.
 */

import type { GraphQLSchema } from "graphql";
import { conflictsBetween, type Part } from "./conflicts.ts";
import type { SubgraphTypes } from "./subgraph_types.ts";

/** What the graph is made of, by service. */
export type Subgraphs = ReadonlyMap<string, SubgraphTypes>;

export interface Composition {
  readonly subgraphs: Subgraphs;
  readonly refused: ReadonlyMap<string, Refusal>;
}

export interface Refusal {
  readonly types: SubgraphTypes;
  /** Why, one line each. */
  readonly reasons: readonly string[];
}

export interface Composing {
  readonly present: Subgraphs;
  /** Each service's types as they are now where the graph has others or none; who stands first is taken first. */
  readonly changes: readonly SubgraphTypes[];
  /** Whether `service` makes way for `other` where the two don't go together; never each for the other. */
  readonly yields: (service: string, other: string) => boolean;
  /** The gateway's own part. */
  readonly own: GraphQLSchema;
  /** Why these can't be stitched, if they can't. */
  readonly stitchingFault: (parts: readonly SubgraphTypes[]) => string | undefined;
}

/** How many services may be in the graph. */
const MOST_SERVICES = 200;
const MOST_REASONS = 20;

export function compose({ present, changes, yields, own, stitchingFault }: Composing): Composition {
  const graph = new Map(present);
  const gateway: Part = { service: "the gateway", schema: own, repeatsFields: true };
  const refused = new Map<string, Refusal>();

  /** Undefined where they are in the graph now. */
  const take = (types: SubgraphTypes): string[] | undefined => {
    const { service } = types;
    if (types.fault !== undefined) return [`its types are no valid schema: ${types.fault}`];
    if (!graph.has(service) && graph.size >= MOST_SERVICES) return [`the graph takes ${MOST_SERVICES} services`];
    const reasons = conflictsBetween(types, gateway);
    const inTheWay: SubgraphTypes[] = [];
    for (const other of graph.values()) {
      if (other.service === service) continue;
      const found = conflictsBetween(types, other);
      if (found.length > 0 && yields(other.service, service)) inTheWay.push(other);
      else reasons.push(...found);
    }
    const rest = [...graph.values()].filter((one) => one.service !== service && !inTheWay.includes(one));
    const fault = reasons.length === 0 ? stitchingFault([...rest, types]) : undefined;
    if (fault !== undefined) reasons.push(`it can't be stitched: ${fault}`);
    if (reasons.length > 0) return reasons.slice(0, MOST_REASONS);
    for (const other of inTheWay) {
      graph.delete(other.service);
      if (!changes.some((change) => change.service === other.service)) waiting.push(other);
    }
    graph.set(service, types);
    return undefined;
  };

  // Again as long as one makes room for another: a field that moves from one service to another is given up by the first.
  let waiting = [...changes];
  for (let progress = true; progress && waiting.length > 0;) {
    progress = false;
    const tried = waiting;
    waiting = [];
    for (const types of tried) {
      const reasons = take(types);
      if (reasons === undefined) {
        progress = true;
        refused.delete(types.service);
      } else {
        refused.set(types.service, { types, reasons });
        waiting.push(types);
      }
    }
  }
  return { subgraphs: graph, refused };
}
