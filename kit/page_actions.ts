/**
 * Buttons on the status page: each is a form that POSTs to a route of the same process. Whoever may look at the page may press them; a page
 * of another origin may not on their behalf, since it can't read the token that the form carries, whatever name it gives this machine.
 */

import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { UserError } from "./errors.ts";
import { allowLocalOrMember, readText, type RequestContext } from "./http.ts";
import { sameSecret } from "./secret.ts";

export interface PageAction {
  readonly label: string;
  /** Where it is posted. */
  readonly path: string;
  readonly token: string;
}

/** The largest form, in bytes. */
const FORM_LIMIT = 1024;

export function pageAction(label: string, path: string, secret: string): PageAction {
  return { label, path, token: tokenOf(path, secret) };
}

/** @throws UserError `UNAUTHENTICATED`, or `FORBIDDEN` where the request doesn't come from the page's own form */
export async function allowPageAction(c: RequestContext, secret: string): Promise<void> {
  allowLocalOrMember(c, secret);
  const form = new URLSearchParams(await readText(c, FORM_LIMIT));
  if (sameSecret(form.get("token") ?? "", tokenOf(c.req.path, secret))) return;
  throw new UserError("FORBIDDEN", "this is for the buttons of the status page: open it, and press again");
}

function tokenOf(path: string, secret: string): string {
  return Buffer.from(createHmac("sha256", secret).update(`page action ${path}`).digest()).toString("base64url");
}
