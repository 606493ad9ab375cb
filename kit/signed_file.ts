/**
 * What a process keeps on disk for its next start. In: a value. Out, at the next start: the same, or nothing.
 *
 * The file is `HMAC of the rest, as hex` and, in a second line, `{"savedAt": …, "value": …}`. One that is damaged, of another cluster (its
 * secret is the key), or older than a day is none.
 */

import { createHmac } from "node:crypto";
import * as v from "valibot";
import { reason } from "./directory.ts";
import type { Logger } from "./log.ts";
import { DAY, MINUTE } from "./time.ts";

/** What is older is none, in milliseconds: much may be elsewhere by then. */
const LONGEST_AGE_MS = DAY;

const SAVED = v.object({ savedAt: v.number(), value: v.unknown() });

export interface SignedFileOptions<Shape extends v.GenericSchema> {
  /** In a folder that this process may read and write. */
  readonly file: string;
  /** The cluster's secret. */
  readonly key: string;
  /** For the log: "the copy of the directory". */
  readonly what: string;
  readonly shape: Shape;
  /** A longer file is none, in bytes. */
  readonly limitBytes: number;
  readonly log: Logger;
}

export class SignedFile<Shape extends v.GenericSchema> {
  #warned = false;

  constructor(private readonly options: SignedFileOptions<Shape>) {}

  /** What was saved last; undefined where there is none that can be used. */
  async read(): Promise<v.InferOutput<Shape> | undefined> {
    const { file, limitBytes, shape, what, log } = this.options;
    try {
      const { size } = await Deno.stat(file);
      if (size > limitBytes) throw new Error("it is too large");
      const [hmac, text = ""] = (await Deno.readTextFile(file)).split("\n");
      if (hmac !== this.#hmac(text)) throw new Error("it is damaged, or of another cluster");
      const { savedAt, value } = v.parse(SAVED, JSON.parse(text));
      const ageMs = Date.now() - savedAt;
      if (ageMs > LONGEST_AGE_MS || ageMs < -MINUTE) throw new Error("it is too old");
      return v.parse(shape, value);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        log.warning("{what} is not used: {error}", { what, error: reason(error) });
      }
      return undefined;
    }
  }

  /** Never throws: what can't be saved is logged, once until it can. One at a time. */
  async save(value: v.InferInput<Shape>): Promise<void> {
    const { file, what, log } = this.options;
    const text = JSON.stringify({ savedAt: Date.now(), value });
    // Renamed into place, so that a process that is killed here leaves no half of it.
    const staged = `${file}.new`;
    try {
      await Deno.writeTextFile(staged, `${this.#hmac(text)}\n${text}`, { mode: 0o600 });
      await Deno.rename(staged, file);
      this.#warned = false;
    } catch (error) {
      if (!this.#warned) log.warning("{what} can't be written to disk: {error}", { what, error: reason(error) });
      this.#warned = true;
    }
  }

  #hmac(text: string): string {
    return createHmac("sha256", this.options.key).update(text).digest("hex");
  }
}
