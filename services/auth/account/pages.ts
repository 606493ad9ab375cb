/**
 * The pages behind links in mails about an account (the gateway passes them on, gateway/public_routes.ts). `GET /account/confirm?token=…`
 * and `GET /account/reset?token=…` show a form and change nothing, since programs that look at mails follow every link; the form's `POST`,
 * with the token in its body, does what `confirmAddress` and `resetPassword` do.
 */

import type { Sql } from "../../../kit/database.ts";
import { reason } from "../../../kit/directory.ts";
import { UserError } from "../../../kit/errors.ts";
import { type App, readText, type RequestContext } from "../../../kit/http.ts";
import { LATER, publicPage } from "../../../kit/public_page.ts";
import { escapeHtml } from "../../../kit/status_page.ts";
import { PASSWORD_LEAST } from "../credentials.ts";
import { confirmAddress } from "./confirmation.ts";
import { findLink, type LinkKind } from "./links.ts";
import { type ResetOptions, resetPassword } from "./reset.ts";

/** The largest form, in bytes: two passwords of 128 characters, each of up to 12 as a form writes them. */
const FORM_LIMIT_BYTES = 8 * 1024;
const TITLE = "Your account at Notifyx";

interface Form {
  readonly token: string;
  readonly password: string;
  readonly repeated: string;
}

/** What a form did, as HTML; or what is wrong with what was put in. */
type Done = string | { readonly wrong: string };

export function addAccountPages(app: App, options: ResetOptions): void {
  const { sql } = options;
  page(app, options, "confirm", confirmForm, async ({ token }) => {
    await confirmAddress(sql, token);
    return CONFIRMED;
  });
  page(app, options, "reset", resetForm, async ({ token, password, repeated }) => {
    if (password !== repeated) return { wrong: "the two passwords are not the same" };
    await resetPassword(options, token, password);
    return REPLACED;
  });
}

function page(
  app: App,
  { sql, log }: Pick<ResetOptions, "sql" | "log">,
  kind: LinkKind,
  formOf: (email: string, token: string, wrong?: string) => string,
  act: (form: Form) => Promise<Done>,
): void {
  const path = `/account/${kind}`;
  app.get(path, (c) => answer(c, log, () => showForm(c, sql, kind, c.req.query("token") ?? "", formOf)));
  app.post(path, async (c) => {
    const form = formIn(await readText(c, FORM_LIMIT_BYTES));
    return await answer(c, log, async () => {
      const done = await act(form).catch(wrongInput);
      if (typeof done === "string") return publicPage(c, 200, TITLE, done);
      return await showForm(c, sql, kind, form.token, formOf, done.wrong);
    });
  });
}

function formIn(body: string): Form {
  const fields = new URLSearchParams(body);
  const field = (name: string) => fields.get(name) ?? "";
  return { token: field("token"), password: field("password"), repeated: field("repeated") };
}

/** What its user can mend at once. @throws the error, if it is another one */
function wrongInput(error: unknown): Done {
  if (error instanceof UserError && error.code === "BAD_USER_INPUT") return { wrong: error.message };
  throw error;
}

async function showForm(
  c: RequestContext,
  sql: Sql,
  kind: LinkKind,
  token: string,
  formOf: (email: string, token: string, wrong?: string) => string,
  wrong?: string,
): Promise<Response> {
  const user = await findLink(sql, kind, token);
  if (user === undefined) return publicPage(c, 404, TITLE, UNKNOWN);
  return publicPage(c, wrong === undefined ? 200 : 400, TITLE, formOf(user.email, token, wrong));
}

async function answer(c: RequestContext, log: ResetOptions["log"], show: () => Promise<Response>): Promise<Response> {
  try {
    return await show();
  } catch (error) {
    if (error instanceof UserError && error.code === "NOT_FOUND") return publicPage(c, 404, TITLE, UNKNOWN);
    if (!(error instanceof UserError)) log.warning("a link can't be followed: {error}", { error: reason(error) });
    return publicPage(c, 503, TITLE, LATER);
  }
}

function confirmForm(email: string, token: string): string {
  return `<h1>Is this your address?</h1>
<p>Mails from Notifyx will go to <strong><bdi>${escapeHtml(email)}</bdi></strong>.</p>
<form method="post" action="confirm">${hidden(token)}<button>Confirm this address</button></form>`;
}

function resetForm(email: string, token: string, wrong?: string): string {
  const field = (name: string, label: string) =>
    `<label>${label}<input type="password" name="${name}" autocomplete="new-password" minlength="${PASSWORD_LEAST}" required></label>`;
  return `<h1>Choose a new password</h1>
<p>For <strong><bdi>${escapeHtml(email)}</bdi></strong>. You will be signed out everywhere.</p>
${wrong === undefined ? "" : `<p class="wrong" role="alert">${escapeHtml(sentence(wrong))}</p>`}
<form method="post" action="reset">${hidden(token)}<input type="email" autocomplete="username" value="${
    escapeHtml(email)
  }" hidden>
${field("password", "New password")}${field("repeated", "The same again")}
<p class="quiet">At least ${PASSWORD_LEAST} characters; a few words are easier to keep in mind than signs.</p>
<button>Change the password</button></form>`;
}

function hidden(token: string): string {
  return `<input type="hidden" name="token" value="${escapeHtml(token)}">`;
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

const CONFIRMED = `<h1>Your address is confirmed</h1><p>Thank you. You can close this page.</p>`;
const REPLACED = `<h1>Your password is changed</h1>
<p>You are signed out everywhere: sign in with the new password.</p>`;
const UNKNOWN = `<h1>This link is not known</h1>
<p>It may be too old, be incomplete, or have been used: if you have pressed the button before, that counted.</p>
<p class="quiet">Where you sign in you can ask for another mail; the link in the newest one works.</p>`;
