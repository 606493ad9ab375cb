/**
 * The directory on disk, so that a process can start while discovery is away. In: what discovery said last. Out, at the next start: the same.
 *
 * The file is `HMAC of the rest, as hex` and, in a second line, `{"savedAt": …, "instances": […]}`. One that is damaged, of another cluster
 * (its secret is the key), or older than a day is none; nor is anybody taken to be there by it alone (directory.ts).
 */

import { createHmac } from "node:crypto";
import * as v from "valibot";
import { INSTANCE, type Instance, reason } from "./directory.ts";
import type { Logger } from "./log.ts";
import { DAY, MINUTE, SECOND } from "./time.ts";

/** An older copy is none, in milliseconds: other processes may have those ports by then. */
const LONGEST_AGE_MS = DAY;
/** Between two copies at least, in milliseconds, and at most, while discovery is heard. */
const SAVE_AFTER_MS = SECOND;
const SAVE_EVERY_MS = MINUTE;
/** The longest copy, in bytes: as long as an event of the watch stream. */
const LIMIT_BYTES = 4 * 1024 * 1024;

const COPY = v.object({ savedAt: v.number(), instances: v.array(INSTANCE) });

export class DirectoryCopy {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #savedAt = 0;
  #saving: Promise<void> = Promise.resolve();
  #warned = false;

  /** `file` is in a folder that this process may read and write; `key` is the cluster's secret. */
  constructor(private readonly file: string, private readonly key: string, private readonly log: Logger) {}

  /** What was saved last; empty where there is no copy that can be used. */
  async read(): Promise<Instance[]> {
    try {
      const { size } = await Deno.stat(this.file);
      if (size > LIMIT_BYTES) throw new Error("it is too large");
      const [hmac, text = ""] = (await Deno.readTextFile(this.file)).split("\n");
      if (hmac !== this.#hmac(text)) throw new Error("it is damaged, or of another cluster");
      const { savedAt, instances } = v.parse(COPY, JSON.parse(text));
      const ageMs = Date.now() - savedAt;
      if (ageMs > LONGEST_AGE_MS || ageMs < -MINUTE) throw new Error("it is too old");
      return instances;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        this.log.warning("the copy of the directory is not used: {error}", { error: reason(error) });
      }
      return [];
    }
  }

  /** Discovery has been heard: what `instances` gives is saved, soon where it `hasChanged`, else now and then. */
  heard(instances: () => readonly Instance[], hasChanged: boolean): void {
    if (this.#timer !== undefined || (!hasChanged && Date.now() - this.#savedAt < SAVE_EVERY_MS)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#savedAt = Date.now();
      this.#saving = this.#saving.then(() => this.#save(instances()));
    }, SAVE_AFTER_MS);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving;
  }

  async #save(instances: readonly Instance[]): Promise<void> {
    const text = JSON.stringify({ savedAt: Date.now(), instances });
    // Renamed into place, so that a process that is killed here leaves no half of it.
    const staged = `${this.file}.new`;
    try {
      await Deno.writeTextFile(staged, `${this.#hmac(text)}\n${text}`, { mode: 0o600 });
      await Deno.rename(staged, this.file);
      this.#warned = false;
    } catch (error) {
      if (!this.#warned) this.log.warning("the directory can't be copied to disk: {error}", { error: reason(error) });
      this.#warned = true;
    }
  }

  #hmac(text: string): string {
    return createHmac("sha256", this.key).update(text).digest("hex");
  }
}
