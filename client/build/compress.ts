/** Compresses what is built, once, so that the server doesn't at each request. */

import { brotliCompress, constants, gzip } from "node:zlib";
import { promisify } from "node:util";
import { extname, join } from "node:path";
import type { Manifest } from "./manifest.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
};
const COMPRESSED = new Set([".js", ".css", ".svg", ".webmanifest", ".txt"]);

/** Each file in `folder` but the page, with its encodings beside it. @throws Error for a file of a type that isn't known */
export async function compressAll(folder: string): Promise<Manifest["files"]> {
  const files: Manifest["files"] = [];
  for await (const path of filesUnder(folder, "")) {
    if (path === "/index.html") continue;
    const extension = extname(path);
    const type = TYPES[extension];
    if (type === undefined) throw new Error(`${path} is of a type that the server doesn't know`);
    const encodings = COMPRESSED.has(extension) ? await compress(join(folder, path)) : {};
    files.push({ path, type, encodings });
  }
  return files;
}

async function compress(path: string): Promise<Record<string, string>> {
  const bytes = await Deno.readFile(path);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: quality }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  await Deno.writeFile(`${path}.br`, br);
  await Deno.writeFile(`${path}.gz`, gz);
  return { br: ".br", gzip: ".gz" };
}

/** Paths from `folder` with a slash in front, without what is hidden. */
async function* filesUnder(folder: string, prefix: string): AsyncGenerator<string> {
  const entries = [];
  for await (const entry of Deno.readDir(join(folder, prefix))) entries.push(entry);
  for (const { name, isDirectory } of entries) {
    if (name.startsWith(".")) continue;
    const path = `${prefix}/${name}`;
    if (isDirectory) yield* filesUnder(folder, path);
    else yield path;
  }
}
