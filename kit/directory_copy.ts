/**
 * The directory on disk, so that a process can start while discovery is away. In: what discovery said last. Out, at the next start: the same.
 * Nobody is taken to be there by it alone (directory.ts).
 */

import * as v from "valibot";
import { INSTANCE, type Instance } from "./directory.ts";
import type { Logger } from "./log.ts";
import { SignedFile } from "./signed_file.ts";
import { MINUTE, SECOND } from "./time.ts";

/** Between two copies at least, in milliseconds, and at most, while discovery is heard. */
const SAVE_AFTER_MS = SECOND;
const SAVE_EVERY_MS = MINUTE;
/** The longest copy, in bytes: as long as an event of the watch stream. */
const LIMIT_BYTES = 4 * 1024 * 1024;

export class DirectoryCopy {
  readonly #file;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #savedAt = 0;
  #saving: Promise<void> = Promise.resolve();

  /** `file` is in a folder that this process may read and write; `key` is the cluster's secret. */
  constructor(file: string, key: string, log: Logger) {
    const shape = v.array(INSTANCE);
    this.#file = new SignedFile({ file, key, what: "the copy of the directory", shape, limitBytes: LIMIT_BYTES, log });
  }

  /** What was saved last; empty where there is no copy that can be used. */
  async read(): Promise<Instance[]> {
    return await this.#file.read() ?? [];
  }

  /** Discovery has been heard: what `instances` gives is saved, soon where it `hasChanged`, else now and then. */
  heard(instances: () => readonly Instance[], hasChanged: boolean): void {
    if (this.#timer !== undefined || (!hasChanged && Date.now() - this.#savedAt < SAVE_EVERY_MS)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#savedAt = Date.now();
      this.#saving = this.#saving.then(() => this.#file.save([...instances()]));
    }, SAVE_AFTER_MS);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving;
  }
}
