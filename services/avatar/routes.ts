/**
 * `GET /avatars/:userId.png?size=&style=&format=`, and HEAD. In: a request. Out: a picture, which never changes, so that browsers and proxies
 * keep it; 304 for who has it; what is wrong with the URL, in one line.
 */

import type { App } from "../../kit/http.ts";
import type { Gallery } from "./gallery.ts";
import { known } from "./metrics.ts";
import { type Format, keyOf, type Picture, pictureOf, PREFIX } from "./picture.ts";

/** It is opened by itself or as a picture, and neither loads nor runs anything. */
const SVG_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";
const CACHE = "public, max-age=31536000, immutable";

const HEADERS: Readonly<Record<Format, readonly [string, string][]>> = {
  png: headersOf({ "content-type": "image/png" }),
  svg: headersOf({
    "content-type": "image/svg+xml",
    "content-security-policy": SVG_POLICY,
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
  }),
};

function headersOf(own: Record<string, string>): [string, string][] {
  // Pages of any origin show it.
  const all = { ...own, "x-content-type-options": "nosniff", "cross-origin-resource-policy": "cross-origin" };
  return Object.entries({ ...all, "cache-control": CACHE });
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  readonly ifNoneMatch: string | undefined;
}

export function addAvatarRoutes(app: App, gallery: Gallery): void {
  app.get(`${PREFIX}:file`, async (c) => {
    // Of an error nobody has to remember anything.
    c.header("cache-control", "no-store");
    const { pathname, search } = new URL(c.req.url);
    const asked = {
      method: c.req.method,
      path: pathname,
      query: search.slice(1),
      ifNoneMatch: c.req.header("if-none-match"),
    };
    const picture = pictureOf(asked.path, asked.query);
    return atOnce(asked, picture, gallery) ?? answer(asked, picture, await gallery.get(picture));
  });
}

/** The answer where nothing has to be drawn for it. */
export function atOnce(asked: Asked, picture: Picture, gallery: Gallery): Response | undefined {
  if (asked.ifNoneMatch !== undefined && isNamed(etagOf(picture), asked.ifNoneMatch)) {
    known.inc();
    return new Response(null, { status: 304, headers: [...HEADERS[picture.format], ["etag", etagOf(picture)]] });
  }
  const key = keyOf(picture);
  const bytes = gallery.kept(key);
  if (bytes === undefined || asked.method !== "GET") return bytes && answer(asked, picture, bytes);
  let ready = gallery.answers.get(key);
  if (ready === undefined) gallery.answers.set(key, ready = answer(asked, picture, bytes));
  return ready.clone();
}

function answer({ method }: Asked, picture: Picture, bytes: Uint8Array<ArrayBuffer>): Response {
  const headers: [string, string][] = [...HEADERS[picture.format], ["etag", etagOf(picture)]];
  if (method === "GET") return new Response(bytes, { headers });
  return new Response(null, { headers: [...headers, ["content-length", `${bytes.length}`]] });
}

function etagOf(picture: Picture): string {
  return `"${keyOf(picture)}"`;
}

/** RFC 9110, 13.1.2: the weak comparison. */
function isNamed(etag: string, list: string): boolean {
  return list.trim() === "*" || list.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}
