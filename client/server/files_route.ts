/** The app's page and files. Files have a hash in their names and are kept for ever; the page is asked for each time. */

import { UserError } from "../../kit/errors.ts";
import type { App, RequestContext } from "../../kit/http.ts";
import { pageHeaders } from "../../kit/page_headers.ts";
import type { AppFile, AppFiles } from "./app_files.ts";
import { waitingPage } from "./waiting_page.ts";

/** In the page, where its nonce goes. */
const NONCE = "__NONCE__";
const FOR_EVER = "max-age=31536000, immutable";
/** The best first. */
const ENCODINGS = ["br", "gzip"];

export function serveFiles(app: App, files: AppFiles, isSecure: boolean): void {
  app.get("/assets/*", async (c) => {
    const file = await files.file(c.req.path);
    if (file === undefined) throw new UserError("NOT_FOUND", "no such file");
    return answer(c, file, FOR_EVER);
  });
  app.get("*", async (c, next) => {
    const file = await files.file(c.req.path);
    if (file !== undefined) return answer(c, file, "no-cache");
    // Every other address is a page of the app, for browsers alone.
    if (!c.req.header("accept")?.includes("text/html")) return await next();
    const built = await files.current();
    if (built === undefined) return waitingPage(c);
    const nonce = crypto.getRandomValues(new Uint8Array(16)).toBase64();
    return c.html(built.page.replaceAll(NONCE, nonce), 200, {
      ...pageHeaders(contentSecurityPolicy(nonce)),
      "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
      "cache-control": "no-cache",
      ...isSecure ? { "strict-transport-security": "max-age=31536000" } : {},
    });
  });
}

/** The nonce is for the styles that Mantine makes: its theme's variables, and the scroll bar's width while a dialog is open. */
function contentSecurityPolicy(nonce: string): string[] {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    // data: for the badge that is drawn on the icon.
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
  ];
}

function answer(c: RequestContext, { type, bodies }: AppFile, caching: string): Response {
  const accepted = c.req.header("accept-encoding") ?? "";
  const encoding = ENCODINGS.find((one) => bodies.has(one) && new RegExp(`\\b${one}\\b`).test(accepted)) ?? "identity";
  return c.body(bodies.get(encoding)!, 200, {
    "content-type": type,
    "cache-control": caching,
    "vary": "accept-encoding",
    ...encoding === "identity" ? {} : { "content-encoding": encoding },
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  });
}
