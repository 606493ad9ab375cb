/**
 * `GET /inbox`: what the development inbox has received, for people. Open from this machine, for members of the cluster from elsewhere.
 *
 * A mail's HTML is anyone's. It is a document of its own in a sandboxed frame, and by its own headers as well, whoever opens it: it runs
 * nothing, loads nothing, sends nothing and has an origin of its own, so that it reaches neither the page nor the other routes.
 */

import type { Sql } from "../../../kit/database.ts";
import { ADDRESS_LIMIT } from "../../../kit/email_address.ts";
import { allowLocalOrMember, type App, type RequestContext } from "../../../kit/http.ts";
import { PAGE_HEADERS } from "./look.ts";
import { listPage, mailPage, missingPage, type View } from "./page.ts";
import { findMail, type InboxMail, listMails } from "./store.ts";

export interface InboxRoutesOptions {
  readonly sql: Sql;
  readonly secret: string;
  /** Whether mails come here, or go to an SMTP server instead. */
  readonly receives: boolean;
}

const DOCUMENT_HEADERS = {
  "content-security-policy": [
    "sandbox allow-popups allow-popups-to-escape-sandbox",
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'self'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "SAMEORIGIN",
  "x-dns-prefetch-control": "off",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

export function addInboxRoutes(app: App, { sql, secret, receives }: InboxRoutesOptions): void {
  app.get("/inbox", async (c) => {
    allowLocalOrMember(c, secret);
    const address = (c.req.query("address") ?? "").trim().slice(0, ADDRESS_LIMIT).replaceAll("\0", "").toWellFormed();
    return c.html(listPage(await listMails(sql, address), address, receives), 200, PAGE_HEADERS);
  });

  app.get("/inbox/:id", async (c) => {
    const mail = await mailOf(c);
    if (mail === undefined) return missing(c);
    const contents = await contentsOf(mail);
    const asked = c.req.query("view");
    const first: View = contents?.html === undefined && contents?.text !== undefined ? "text" : "html";
    const view = asked === "html" || asked === "text" || asked === "source" ? asked : first;
    return c.html(mailPage(mail, contents, view), 200, PAGE_HEADERS);
  });

  app.get("/inbox/:id/html", async (c) => {
    const mail = await mailOf(c);
    const html = mail && (await contentsOf(mail))?.html;
    if (html === undefined) return missing(c);
    return c.html(`<!doctype html><meta charset="utf-8">${html}`, 200, DOCUMENT_HEADERS);
  });

  app.get("/inbox/:id/text", async (c) => {
    const mail = await mailOf(c);
    const text = mail && (await contentsOf(mail))?.text;
    if (text === undefined) return missing(c);
    return c.text(text, 200, DOCUMENT_HEADERS);
  });

  app.get("/inbox/:id/source", async (c) => {
    const mail = await mailOf(c);
    if (mail === undefined) return missing(c);
    return c.body(new Uint8Array(mail.source), 200, {
      ...DOCUMENT_HEADERS,
      "content-type": "text/plain; charset=utf-8",
    });
  });

  async function mailOf(c: RequestContext): Promise<InboxMail | undefined> {
    allowLocalOrMember(c, secret);
    const id = c.req.param("id") ?? "";
    return /^[1-9]\d{0,14}$/.test(id) ? await findMail(sql, Number(id)) : undefined;
  }
}

// Loaded at the first view: reading mails takes 40 MB that a node without viewers doesn't need.
async function contentsOf({ source }: InboxMail) {
  const { readContents } = await import("./parsed.ts");
  return await readContents(source);
}

function missing(c: RequestContext): Response | Promise<Response> {
  return c.html(missingPage(), 404, PAGE_HEADERS);
}
