/** What a browser is shown before the app has been built: it comes back by itself. */

import type { RequestContext } from "../../kit/http.ts";
import { pageHeaders } from "../../kit/page_headers.ts";

const AGAIN_SECONDS = 2;

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="${AGAIN_SECONDS}"><title>Notifyx</title>
<h1>The client is being built</h1>
<p>This page opens it as soon as it is there, which takes some seconds. If it doesn't come, <code>deno task client:build</code>
says why.</p></html>`;

export function waitingPage(c: RequestContext): Response {
  return c.html(PAGE, 503, {
    ...pageHeaders(["default-src 'none'"]),
    "cache-control": "no-store",
    "retry-after": `${AGAIN_SECONDS}`,
  });
}
