/** What a browser loads before it shows the first page: the entry, what it imports at once, and their styles. */

import { join } from "node:path";

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

/** The paths of its files, from the folder of the build. */
export async function firstLoad(folder: string): Promise<string[]> {
  const chunks: Record<string, Chunk> = JSON.parse(await Deno.readTextFile(join(folder, ".vite/manifest.json")));
  const files = new Set<string>();
  const add = ({ file, imports = [], css = [] }: Chunk) => {
    if (files.has(file)) return;
    for (const one of [file, ...css]) files.add(one);
    for (const name of imports) add(chunks[name]!);
  };
  for (const chunk of Object.values(chunks)) if (chunk.isEntry) add(chunk);
  return [...files];
}

/** Their size together, compressed by gzip, in bytes. */
export async function firstLoadBytes(folder: string): Promise<number> {
  const sizes = (await firstLoad(folder)).map(async (file) => (await Deno.stat(join(folder, `${file}.gz`))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
