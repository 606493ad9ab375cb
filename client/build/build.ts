/** Builds the client, where what is built isn't of the sources as they are: installs packages, has Vite build, compresses, and puts it in place. */

import { dirname, join } from "node:path";
import { compressAll } from "./compress.ts";
import { builtFingerprint, fingerprint } from "./fingerprint.ts";
import { firstLoadBytes } from "./first_load.ts";
import { BUILD_FILE, type Manifest } from "./manifest.ts";
import { installPackages } from "./packages.ts";
import { builtFolder } from "./places.ts";
import { runVite } from "./run_vite.ts";

/**
 * One build at a time, whoever else wants one meanwhile.
 * @throws Error that says in one line why it can't be built
 */
export async function buildClient(checkout: string, progress: (line: string) => void): Promise<void> {
  const folder = builtFolder(checkout);
  await Deno.mkdir(dirname(folder), { recursive: true });
  using lock = await Deno.open(join(dirname(folder), "lock"), { create: true, write: true });
  await lock.lock(true);
  const wanted = await fingerprint(checkout);
  if (await builtFingerprint(checkout) === wanted) return progress("the client is up to date");
  const began = performance.now();
  progress("building the client: its packages");
  await installPackages(checkout);
  progress("building the client: the app");
  const next = `${folder}.next`;
  await runVite(checkout, ["build", next]);
  const files = await compressAll(next);
  const manifest: Manifest = { fingerprint: wanted, builtAt: new Date().toISOString(), files };
  await Deno.writeTextFile(join(next, BUILD_FILE), JSON.stringify(manifest, null, 2));
  const kilobytes = Math.round(await firstLoadBytes(next) / 1000);
  await replace(folder, next);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  progress(`the client is built, in ${seconds} s; a browser loads ${kilobytes} KB at first`);
}

async function replace(folder: string, next: string): Promise<void> {
  const old = `${folder}.old`;
  await Deno.remove(old, { recursive: true }).catch(unlessMissing);
  await Deno.rename(folder, old).catch(unlessMissing);
  await Deno.rename(next, folder);
  await Deno.remove(old, { recursive: true }).catch(unlessMissing);
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
