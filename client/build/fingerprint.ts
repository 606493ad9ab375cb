/** Names what the client is built from, so that a build is done again when something of it has changed, and only then. */

import { join } from "node:path";
import * as v from "valibot";
import { BUILD_FILE, MANIFEST } from "./manifest.ts";
import { builtFolder } from "./places.ts";

/** Relative to the checkout. */
const SOURCES = ["client/app", "client/lib", "client/build", "deno.json", "deno.lock"];
const LEFT_OUT = /(_test\.tsx?|\.md)$|^(node_modules|testing)$/;

export async function fingerprint(checkout: string): Promise<string> {
  const hashes: string[] = [];
  for (const source of SOURCES) await add(join(checkout, source), source, hashes);
  return await hash(new TextEncoder().encode(hashes.join("\n")));
}

/** Of the build that is there; undefined where there is none. */
export async function builtFingerprint(checkout: string): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(join(builtFolder(checkout), BUILD_FILE));
    return v.parse(MANIFEST, JSON.parse(text)).fingerprint;
  } catch {
    return undefined;
  }
}

async function add(path: string, name: string, hashes: string[]): Promise<void> {
  const { isDirectory } = await Deno.stat(path).catch(() => ({ isDirectory: true }));
  if (!isDirectory) {
    hashes.push(`${name} ${await hash(await Deno.readFile(path))}`);
    return;
  }
  const entries: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) entries.push(entry.name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const entry of entries.sort()) {
    if (!LEFT_OUT.test(entry)) await add(join(path, entry), `${name}/${entry}`, hashes);
  }
}

async function hash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
