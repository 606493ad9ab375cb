/**
 * `deno task client:lib`: the library as an npm package in client/lib/dist. One file of JavaScript that imports nothing, so that a page
 * takes it as it is, and its types.
 */

import * as esbuild from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

const FOLDER = dirname(fileURLToPath(import.meta.url));
const BANNER = `/*! @notifyx/client ${config.version}, MIT. With graphql-ws, MIT, (c) Denis Badurina */`;

/** The JavaScript of all of it. */
export async function bundle({ minify }: { readonly minify: boolean }): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { outputFiles: [file] } = await esbuild.build({
      entryPoints: [join(FOLDER, "mod.ts")],
      bundle: true,
      format: "esm",
      platform: "neutral",
      target: "es2022",
      minify,
      write: false,
      logLevel: "silent",
      legalComments: "inline",
      banner: { js: BANNER },
      // Where Deno has put it.
      alias: { "graphql-ws/client": fileURLToPath(import.meta.resolve("graphql-ws/client")) },
      // Nothing but this folder's own text: no settings of a project around it.
      tsconfigRaw: {},
    });
    return new Uint8Array(file!.contents);
  } finally {
    await esbuild.stop();
  }
}

/** The package, in a folder that is made anew. */
export async function writePackage(to: string): Promise<void> {
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await Deno.mkdir(join(to, "types"), { recursive: true });
  await Deno.writeFile(join(to, "notifyx.js"), await bundle({ minify: false }));
  await writeTypes(join(to, "types"));
  await Deno.copyFile(join(FOLDER, "README.md"), join(to, "README.md"));
  const about = {
    name: "@notifyx/client",
    version: config.version,
    description: "Notifyx in an app of your own: notifications that arrive once and in order",
    license: "MIT",
    type: "module",
    sideEffects: false,
    exports: { ".": { types: "./types/mod.d.ts", default: "./notifyx.js" } },
  };
  await Deno.writeTextFile(join(to, "package.json"), JSON.stringify(about, null, 2) + "\n");
}

/** Declarations of all files, by Deno's own compiler. */
async function writeTypes(to: string): Promise<void> {
  const scratch = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["transpile", "--quiet", "--declaration", "--outdir", scratch, join(FOLDER, "mod.ts")],
      stdin: "null",
    }).output();
    if (!success) throw new Error(`no types: ${new TextDecoder().decode(stderr)}`);
    for (const path of filesOf(scratch).filter((path) => path.endsWith(".d.ts"))) {
      const text = await Deno.readTextFile(path);
      const plain = text.replace(/^\/\/\/ <amd-module.*\n/m, "").replaceAll(/(from "\.\/\w+)\.ts"/g, '$1.js"');
      await Deno.writeTextFile(join(to, path.slice(path.lastIndexOf("/") + 1)), plain);
    }
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

function filesOf(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), (entry) => ({ entry, path: join(folder, entry.name) }))
    .flatMap(({ entry, path }) => entry.isDirectory ? filesOf(path) : [path]);
}

if (import.meta.main) {
  await writePackage(join(FOLDER, "dist"));
  console.log("client/lib/dist is an npm package: npm install ./client/lib/dist");
}
