/**
 * The built app, kept in memory in each of its encodings. After another build the new files are served, and those of the build before
 * too: pages that are open may still load a part of theirs.
 */

import { join } from "node:path";
import * as v from "valibot";
import { SECOND } from "../../kit/time.ts";
import { BUILD_FILE, MANIFEST } from "../build/manifest.ts";

export interface AppFile {
  readonly type: string;
  /** By content encoding; `identity` is always there. */
  readonly bodies: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export interface BuiltApp {
  readonly builtAt: string;
  /** The page, in which each answer puts its own nonce. */
  readonly page: string;
  /** By path, such as `/assets/index-3f2a.js`. */
  readonly files: ReadonlyMap<string, AppFile>;
}

/** How often the folder is looked at for another build, in milliseconds. */
const LOOK_EVERY_MS = SECOND;

export class AppFiles {
  #built: BuiltApp | undefined;
  #before: BuiltApp | undefined;
  #looking: Promise<void> | undefined;
  #lookedAt = 0;
  #modified = 0;

  constructor(private readonly folder: string) {}

  /** Undefined where there is none yet. */
  async current(): Promise<BuiltApp | undefined> {
    if (Date.now() - this.#lookedAt >= LOOK_EVERY_MS) {
      await (this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
        this.#lookedAt = Date.now();
      }));
    }
    return this.#built;
  }

  async file(path: string): Promise<AppFile | undefined> {
    const built = await this.current();
    return built?.files.get(path) ?? this.#before?.files.get(path);
  }

  async #look(): Promise<void> {
    const path = join(this.folder, BUILD_FILE);
    try {
      const modified = (await Deno.stat(path)).mtime?.getTime() ?? 0;
      if (modified === this.#modified) return;
      const manifest = v.parse(MANIFEST, JSON.parse(await Deno.readTextFile(path)));
      const files = new Map(await Promise.all(manifest.files.map((file) => this.#read(file))));
      const page = await Deno.readTextFile(join(this.folder, "index.html"));
      this.#before = this.#built;
      this.#built = { builtAt: manifest.builtAt, page, files };
      this.#modified = modified;
    } catch (error) {
      // Not built yet, or just being replaced: it is looked at again.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async #read(
    { path, type, encodings }: v.InferOutput<typeof MANIFEST>["files"][number],
  ): Promise<[string, AppFile]> {
    const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const [encoding, suffix] of Object.entries({ identity: "", ...encodings })) {
      bodies.set(encoding, await Deno.readFile(join(this.folder, path + suffix)));
    }
    return [path, { type, bodies }];
  }
}
