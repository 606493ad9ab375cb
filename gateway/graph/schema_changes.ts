/**
 * How the graph has changed lately, for people. In: its schemas of before and after each change. Out: what differs, as npm
 * `@graphql-inspector/core` says it, the newest first.
 */

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import type { GraphQLSchema } from "graphql";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";

export interface SchemaChange {
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Whether it breaks clients: BREAKING, DANGEROUS, NON_BREAKING. */
  readonly criticality: string;
  readonly message: string;
}

/** How many are kept, and how many of one replacement. */
const MOST_KEPT = 500;
const MOST_AT_ONCE = 100;
const MOST_CHARACTERS = 300;

export class SchemaChanges {
  #changes: SchemaChange[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly log: Logger) {}

  /** The newest first. */
  latest(most: number): SchemaChange[] {
    return this.#changes.slice(0, most);
  }

  /** What differs is found a moment later, and told in the log. */
  record(before: GraphQLSchema, after: GraphQLSchema): Promise<void> {
    const at = new Date().toISOString();
    return this.#last = this.#last.then(() => this.#compare(before, after, at)).catch((error) => {
      this.log.warning("what has changed in the graph can't be said: {error}", { error: reason(error) });
    });
  }

  async #compare(before: GraphQLSchema, after: GraphQLSchema, at: string): Promise<void> {
    // Those that break clients first.
    const found = (await diff(before, after)).toSorted((a, b) =>
      weight(b.criticality.level) - weight(a.criticality.level)
    );
    const breaking = found.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking).length;
    if (found.length === 0) return;
    this.log.info("the graph has changed: {breaking} breaking changes of {all}", { breaking, all: found.length });
    const told = found.slice(0, MOST_AT_ONCE).map(({ criticality, message }) => ({
      at,
      criticality: criticality.level,
      message: message.slice(0, MOST_CHARACTERS),
    }));
    if (found.length > MOST_AT_ONCE) {
      told.push({
        at,
        criticality: CriticalityLevel.NonBreaking,
        message: `and ${found.length - MOST_AT_ONCE} further changes`,
      });
    }
    this.#changes = [...told, ...this.#changes].slice(0, MOST_KEPT);
  }
}

function weight(level: CriticalityLevel): number {
  return [CriticalityLevel.NonBreaking, CriticalityLevel.Dangerous, CriticalityLevel.Breaking].indexOf(level);
}
