/** Files of a page that come from this process: each can be asked for again for the price of a 304, and is kept for ever by its version's URL. */

import type { RequestContext } from "./http.ts";

export interface Cacheable {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly gzipped: boolean;
  readonly etag: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function answerCacheable(c: RequestContext, { type, body, gzipped, etag, headers }: Cacheable): Response {
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

/** `gzipped` says that the body is compressed already. */
export async function cacheable(body: Uint8Array<ArrayBuffer>, type: string, gzipped = false): Promise<Cacheable> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return { type, body, gzipped, etag: `W/"${digest.toHex().slice(0, 32)}"` };
}
