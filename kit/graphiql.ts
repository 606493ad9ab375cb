/**
 * GraphiQL for a browser that opens `/graphql` (npm `@graphql-yoga/render-graphiql`): all of it comes from this process, so that it
 * works with no internet. On the gateway a bar above it signs in.
 */

import { UserError } from "./errors.ts";
import type { App, RequestContext } from "./http.ts";

export interface GraphiQLOptions {
  /** Shown in the page's title. */
  readonly title: string;
  /** Whether `register`, `login` and `logout` are here. */
  readonly signIn: boolean;
}

/** Adds the page, for whoever asks for HTML, and what it loads. Goes before the route that answers GraphQL. */
export function serveGraphiQL(app: App, options: GraphiQLOptions): void {
  app.get("/graphql", async (c, next) => {
    // A link with a query in it opens in GraphiQL as well: people's browsers ask for HTML, programs don't.
    if (!c.req.header("accept")?.includes("text/html")) return await next();
    const { graphiqlPage } = await load();
    return answer(c, await graphiqlPage(options));
  });
  app.get("/graphql/assets/:name", async (c) => {
    const { graphiqlAsset } = await load();
    const asset = await graphiqlAsset(c.req.param("name"));
    if (asset === undefined) throw new UserError("NOT_FOUND", "no such file");
    return answer(c, asset);
  });
}

/** Loaded when someone opens it first: most processes never show it. */
function load() {
  return import("./graphiql/assets.ts");
}

/** What can be asked for again for the price of a 304. */
export interface Cacheable {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly gzipped: boolean;
  readonly etag: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function answer(c: RequestContext, { type, body, gzipped, etag, headers }: Cacheable): Response {
  const shared = {
    etag,
    "cache-control": c.req.query("v") === versionOf(etag) ? "max-age=31536000, immutable" : "no-cache",
    "vary": "accept, accept-encoding",
  };
  if (c.req.header("if-none-match")?.includes(etag)) return c.body(null, 304, shared);
  const all = { ...shared, ...headers, "content-type": type, "x-content-type-options": "nosniff" };
  if (!gzipped) return c.body(body, 200, all);
  if (/\bgzip\b/.test(c.req.header("accept-encoding") ?? "")) {
    return c.body(body, 200, { ...all, "content-encoding": "gzip" });
  }
  return c.body(new Blob([body]).stream().pipeThrough(new DecompressionStream("gzip")), 200, all);
}

/** What a URL says after `?v=`, so that a new version has a new URL. */
export function versionOf(etag: string): string {
  return etag.replace(/\W/g, "");
}
