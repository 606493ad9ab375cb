/**
 * npm's packages as Vite wants them: in a folder. Everything else here runs without one, so this one is made under `.data`, of the
 * versions that deno.json and deno.lock name.
 */

import { join } from "node:path";
import { packagesFolder } from "./places.ts";
import { run } from "./run.ts";

/** Those that the app and the client library load, and those that build it. */
const PACKAGES = [
  "@mantine/core",
  "@mantine/hooks",
  "@tanstack/react-query",
  "@tanstack/react-router",
  "@tanstack/react-virtual",
  "@vitejs/plugin-react",
  "graphql-ws",
  "icu-minify",
  "react",
  "react-dom",
  "vite",
];

/** @throws Error that says why a package can't be had */
export async function installPackages(checkout: string): Promise<void> {
  const folder = packagesFolder(checkout);
  await Deno.mkdir(folder, { recursive: true });
  const { imports } = JSON.parse(await Deno.readTextFile(join(checkout, "deno.json")));
  const config = {
    nodeModulesDir: "auto",
    imports: Object.fromEntries(PACKAGES.map((name) => [name, imports[name]])),
  };
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config, null, 2));
  await Deno.copyFile(join(checkout, "deno.lock"), join(folder, "deno.lock"));
  await run(["install", "--quiet"], folder);
}
