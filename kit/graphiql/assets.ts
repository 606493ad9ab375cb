/** What GraphiQL's page loads: npm's parts, kept compressed (2.4 MB), and ours, which start it and sign in. */

import { type Cacheable, cacheable, versionOf } from "../cacheable.ts";
import type { GraphiQLOptions } from "../graphiql.ts";
import compress from "./compress.js" with { type: "text" };
import { pageHeaders } from "../page_headers.ts";
import { CONTENT_SECURITY_POLICY, pageHtml } from "./page.ts";
import pageCss from "./page.css" with { type: "text" };
import session from "./session.js" with { type: "text" };
import start from "./start.js" with { type: "text" };

const JAVASCRIPT = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

/** By the name in the page; what it is called in npm's module, and its type. */
const PARTS = new Map([
  ["graphiql.js", ["js", JAVASCRIPT]],
  ["graphiql.css", ["css", CSS]],
  ["editor.worker.js", ["editorWorkerService", JAVASCRIPT]],
  ["json.worker.js", ["jsonWorker", JAVASCRIPT]],
  ["graphql.worker.js", ["graphqlWorker", JAVASCRIPT]],
]);

let assets: Promise<Map<string, Cacheable>> | undefined;

/** The page, which names each asset with its version. */
export async function graphiqlPage(options: GraphiQLOptions): Promise<Cacheable> {
  const all = await loaded();
  const html = pageHtml(options, (name) => `graphql/assets/${name}?v=${versionOf(all.get(name)!.etag)}`);
  return {
    ...await cacheable(new TextEncoder().encode(html), "text/html; charset=utf-8"),
    headers: pageHeaders(CONTENT_SECURITY_POLICY),
  };
}

/** One asset by its name; undefined for any other name. */
export async function graphiqlAsset(name: string): Promise<Cacheable | undefined> {
  return (await loaded()).get(name);
}

function loaded(): Promise<Map<string, Cacheable>> {
  return assets ??= makeAssets().catch((error) => {
    assets = undefined;
    throw error;
  });
}

async function makeAssets(): Promise<Map<string, Cacheable>> {
  const encoder = new TextEncoder();
  const all = new Map<string, Cacheable>([
    ["start.js", await cacheable(encoder.encode(start), JAVASCRIPT)],
    ["session.js", await cacheable(encoder.encode(session), JAVASCRIPT)],
    ["page.css", await cacheable(encoder.encode(pageCss), CSS)],
  ]);
  const compressed = await compressParts();
  for (const [name, [part, type]] of PARTS) all.set(name, await cacheable(compressed[part!]!, type!, true));
  return all;
}

function compressParts(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  // By a data: URL, which takes no permission to read.
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(compress)}`, { type: "module" });
  return new Promise<Record<string, Uint8Array<ArrayBuffer>>>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`GraphiQL could not be loaded: ${event.message}`));
    };
  }).finally(() => worker.terminate());
}
