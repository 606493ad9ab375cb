/**
 * The types that the instances of one service have: during an upgrade there are two versions of them. In: what instances were found to
 * have. Out: the version that is for the graph.
 */

import { findBreakingChanges } from "graphql";
import type { Instance } from "../../kit/directory.ts";
import { SECOND } from "../../kit/time.ts";
import type { SubgraphTypes } from "./subgraph_types.ts";
import type { RememberedTypes } from "./types_copy.ts";

/** How long what an instance without a `schemaHash` said of its types is believed, in milliseconds. */
const BELIEVED_MS = 10 * SECOND;
/** When one that didn't give its types is asked again, in milliseconds. */
const RETRY_MS = SECOND / 2;

interface Known {
  readonly types: SubgraphTypes;
  readonly schemaHash: string | undefined;
  readonly askedAt: number;
}

export class ServiceTypes {
  /** By instance, in the order in which they were asked. */
  readonly #known = new Map<string, Known>();
  /** When those that failed may be asked again. */
  readonly #askAgainAt = new Map<string, number>();
  /** Since when no instance is live, in milliseconds since 1970. */
  awaySince: number | undefined;

  /** What the service had before this process started. */
  remember({ types, schemaHash, seenAt }: RememberedTypes): void {
    this.#known.set("", { types, schemaHash, askedAt: seenAt });
    this.awaySince = seenAt;
  }

  /** What the next process may remember. */
  remembered(types: SubgraphTypes): RememberedTypes {
    const schemaHash = [...this.#known.values()].findLast((one) => one.types === types)?.schemaHash;
    return { types, schemaHash, seenAt: this.awaySince ?? Date.now() };
  }

  /** Forgets instances that aren't live; what the service had last stays, should none be. */
  keep(live: readonly Instance[]): void {
    if (live.length === 0) {
      this.awaySince ??= Date.now();
      return;
    }
    this.awaySince = undefined;
    const ids = new Set(live.map(({ id }) => id));
    const last = [...this.#known].at(-1);
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    for (const id of this.#askAgainAt.keys()) if (!ids.has(id)) this.#askAgainAt.delete(id);
    // None of those that are live was asked yet.
    if (this.#known.size === 0 && last !== undefined) this.#known.set(...last);
  }

  /** Those of `live` that have to be asked now; one whose `schemaHash` another had as well has the same types. */
  unasked(live: readonly Instance[]): Instance[] {
    return live.filter((instance) => {
      const { id, schemaHash } = instance;
      if ((this.#askAgainAt.get(id) ?? 0) > Date.now()) return false;
      const known = this.#known.get(id);
      if (known !== undefined && known.schemaHash === schemaHash) {
        return schemaHash === undefined && Date.now() - known.askedAt > BELIEVED_MS;
      }
      const same = [...this.#known.values()].find((one) => schemaHash !== undefined && one.schemaHash === schemaHash);
      if (same !== undefined) this.#set(instance, same.types);
      return same === undefined;
    });
  }

  failed({ id }: Instance): void {
    this.#askAgainAt.set(id, Date.now() + RETRY_MS);
  }

  learn(instance: Instance, types: SubgraphTypes): void {
    const same = [...this.#known.values()].find((one) => one.types.sdl === types.sdl);
    this.#set(instance, same?.types ?? types);
  }

  /**
   * What all instances can answer, if one version is that: one to which the others only add. Else the newest. Undefined before any was
   * asked.
   */
  forGraph(): SubgraphTypes | undefined {
    const versions = [...new Set([...this.#known.values()].map(({ types }) => types))].reverse();
    const common = versions.find((one) => versions.every((other) => answers(other, one)));
    return common ?? versions[0];
  }

  #set({ id, schemaHash }: Instance, types: SubgraphTypes): void {
    const isNew = this.#known.get(id)?.types !== types;
    if (isNew) this.#known.delete(id);
    this.#known.set(id, { types, schemaHash, askedAt: Date.now() });
  }
}

/** Whether what is asked by the types of `asked` can be answered by those of `server`. */
function answers(server: SubgraphTypes, asked: SubgraphTypes): boolean {
  if (server === asked) return true;
  return server.fault === undefined && asked.fault === undefined &&
    findBreakingChanges(asked.schema, server.schema).length === 0;
}
