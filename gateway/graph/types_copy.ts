/**
 * The services' types on disk, so that a gateway that starts while a service is away knows its fields all the same. In: the types in the
 * graph. Out, at the next start: the same, but those of a service that nobody has seen for a day.
 */

import * as v from "valibot";
import type { Logger } from "../../kit/log.ts";
import { SignedFile } from "../../kit/signed_file.ts";
import { DAY, MINUTE } from "../../kit/time.ts";
import { type SubgraphTypes, typesOf } from "./subgraph_types.ts";

/** While nothing changes, what is saved is as old as this at most, in milliseconds. */
const SAVE_EVERY_MS = MINUTE;
const LIMIT_BYTES = 8 * 1024 * 1024;

const SAVED = v.object({
  service: v.string(),
  sdl: v.string(),
  schemaHash: v.optional(v.string()),
  /** When an instance of it was live last, in milliseconds since 1970. */
  seenAt: v.number(),
});

export interface RememberedTypes {
  readonly types: SubgraphTypes;
  readonly schemaHash: string | undefined;
  readonly seenAt: number;
}

export class TypesCopy {
  readonly #file;
  #saved: readonly SubgraphTypes[] = [];
  #savedAt = 0;
  #saving: Promise<void> = Promise.resolve();

  /** `file` is in a folder that this process may read and write; `key` is the cluster's secret. */
  constructor(file: string, key: string, log: Logger) {
    const shape = v.array(SAVED);
    this.#file = new SignedFile({ file, key, what: "the copy of the types", shape, limitBytes: LIMIT_BYTES, log });
  }

  async read(): Promise<RememberedTypes[]> {
    const saved = await this.#file.read() ?? [];
    return saved.filter(({ seenAt }) => Date.now() - seenAt < DAY)
      .map(({ service, sdl, schemaHash, seenAt }) => ({ types: typesOf(service, sdl), schemaHash, seenAt }));
  }

  /** These are in the graph: they are saved where they have changed, and now and then. */
  keep(all: readonly RememberedTypes[]): void {
    const types = all.map((one) => one.types);
    const isSame = types.length === this.#saved.length && types.every((one, nth) => one === this.#saved[nth]);
    if (isSame && Date.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#saved = types;
    this.#savedAt = Date.now();
    const value = all.map(({ types: { service, sdl }, ...more }) => ({ service, sdl, ...more }));
    this.#saving = this.#saving.then(() => this.#file.save(value));
  }

  async stop(): Promise<void> {
    await this.#saving;
  }
}
