/**
 * A copy of the code with mistakes in it, for the test of a test: what is shown by it has to fail there. In: what stands where in which
 * file. Out: a folder from which the system can be started, gone with its disposal.
 */

import { fileURLToPath } from "node:url";
import { join } from "node:path";

export interface Mistake {
  /** Relative to the checkout. */
  readonly file: string;
  readonly instead: string;
  readonly of: string;
}

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
/** What the system is made of. */
const PARTS = ["cluster", "gateway", "kit", "schema", "services", "deno.json", "deno.lock"];

export class Mutant implements AsyncDisposable {
  private constructor(readonly folder: string) {}

  /** @throws Error where a file no longer says what is to be replaced */
  static async of(mistakes: readonly Mistake[]): Promise<Mutant> {
    const mutant = new Mutant(await Deno.makeTempDir({ prefix: "notifyx-mutant-" }));
    try {
      for (const part of PARTS) await copy(join(CHECKOUT, part), join(mutant.folder, part));
      for (const { file, instead, of } of mistakes) {
        const path = join(mutant.folder, file);
        const text = await Deno.readTextFile(path);
        if (text.split(of).length !== 2) throw new Error(`${file} doesn't say this once: ${of}`);
        await Deno.writeTextFile(path, text.replace(of, () => instead));
      }
      return mutant;
    } catch (error) {
      await mutant[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
}
