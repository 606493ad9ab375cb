/**
 * GraphiQL for a browser that opens `/graphql` (npm `@graphql-yoga/render-graphiql`): all of it comes from this process, so that it
 * works with no internet. On the gateway a bar above it signs in.
 */

import { answerCacheable } from "./cacheable.ts";
import { UserError } from "./errors.ts";
import type { App } from "./http.ts";

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
    return answerCacheable(c, await graphiqlPage(options));
  });
  app.get("/graphql/assets/:name", async (c) => {
    const { graphiqlAsset } = await load();
    const asset = await graphiqlAsset(c.req.param("name"));
    if (asset === undefined) throw new UserError("NOT_FOUND", "no such file");
    return answerCacheable(c, asset);
  });
}

/** Loaded when someone opens it first: most processes never show it. */
function load() {
  return import("./graphiql/assets.ts");
}
