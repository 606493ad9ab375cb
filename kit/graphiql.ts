/** GraphiQL for `/graphql`, from npm `@graphql-yoga/render-graphiql`: all of it in one page, so that it works with no internet. */

import { renderGraphiQL } from "@graphql-yoga/render-graphiql";
import type { RequestContext } from "./http.ts";

/** The page is 9 MB of text: made and compressed once, when someone opens it first. */
let pages: Promise<{ plain: Uint8Array<ArrayBuffer>; gzip: Uint8Array<ArrayBuffer> }> | undefined;

export async function graphiqlPage(c: RequestContext): Promise<Response> {
  const { plain, gzip } = await (pages ??= makePages());
  const compressed = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
  return c.body(compressed ? gzip : plain, 200, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "vary": "accept-encoding",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy":
      "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
    ...compressed && { "content-encoding": "gzip" },
  });
}

async function makePages() {
  const html = renderGraphiQL({
    title: "Notifyx",
    // Its WebSocket fetcher can't send the Headers tab; server-sent events can.
    subscriptionsProtocol: "SSE",
    shouldPersistHeaders: true,
  });
  const plain = new TextEncoder().encode(html);
  const gzip = new Uint8Array(
    await new Response(new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
  return { plain, gzip };
}
