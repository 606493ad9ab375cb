/**
 * Vite, as a process of its own: `vite.ts build FOLDER` builds the app into FOLDER, `vite.ts serve PORT CLIENT_URL` serves it from its
 * sources while one edits them, with the rest from the client that runs at CLIENT_URL.
 */

import react from "@vitejs/plugin-react";
import compileMessage from "icu-minify/compile";
import { build, createServer, type InlineConfig, type Plugin } from "vite";
import { packagesFolder } from "./places.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [command, ...args] = Deno.args;
const checkout = fileURLToPath(new URL("../..", import.meta.url));
/** As if it were a file that imports them. */
const PACKAGES_ANCHOR = join(packagesFolder(checkout), "anchor.js");

const shared: InlineConfig = {
  root: fileURLToPath(new URL("../app", import.meta.url)),
  configFile: false,
  logLevel: command === "build" ? "error" : "info",
  cacheDir: join(checkout, ".data/client/vite"),
  plugins: [packages(), compiledStrings(), react()],
};

if (command === "build") {
  await build({
    ...shared,
    build: {
      outDir: args[0],
      emptyOutDir: true,
      target: "es2022",
      // What is inlined would take `data:` in the policy, and is loaded again with each build.
      assetsInlineLimit: 0,
      // Which parts the first load is made of: first_load.ts.
      manifest: true,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1_000,
    },
  });
} else {
  const [port, clientUrl] = args;
  const target = { target: clientUrl, ws: true };
  const server = await createServer({
    ...shared,
    server: {
      port: Number(port),
      strictPort: true,
      host: "127.0.0.1",
      fs: { allow: [checkout] },
      proxy: { "/graphql": target, "/session": target, "/avatars": target },
    },
  });
  await server.listen();
  server.printUrls();
}

/** Finds packages in the folder that has them (packages.ts), which is not above our sources, where Vite looks. */
function packages(): Plugin {
  return {
    name: "notifyx-packages",
    enforce: "pre",
    resolveId(source, importer, options) {
      if (!/^[@a-z]/.test(source) || importer === undefined || importer.includes("/node_modules/")) return;
      return this.resolve(source, PACKAGES_ANCHOR, { ...options, skipSelf: true });
    },
  };
}

/** Texts in ICU's syntax are parsed here rather than in the browser. */
function compiledStrings(): Plugin {
  return {
    name: "notifyx-strings",
    enforce: "pre",
    transform(code, id) {
      if (!/\/strings\/\w+\.json$/.test(id)) return;
      const texts = Object.entries(JSON.parse(code) as Record<string, string>);
      const compiled = Object.fromEntries(texts.map(([key, text]) => [key, compileMessage(text)]));
      return { code: JSON.stringify(compiled), map: null };
    },
  };
}
