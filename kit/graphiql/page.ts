/** GraphiQL's page: the bar that signs in, where it is, and the place where GraphiQL goes. */

import type { GraphiQLOptions } from "../graphiql.ts";
import { ICON } from "../icon.ts";
import { escapeHtml } from "../status_page.ts";

/** Nothing but what comes from here. Monaco, GraphiQL's editor, writes styles into the page; its fonts and images are data: URLs. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "form-action 'none'",
];

const BAR = `
<header id="session" aria-label="Session">
  <form hidden>
    <label>E-mail <input name="email" type="email" autocomplete="username" required maxlength="254"></label>
    <label>Password <input name="password" type="password" autocomplete="current-password" required minlength="8" maxlength="128"></label>
    <button>Sign in</button>
    <button name="register">Register</button>
  </form>
  <p id="signed-in" hidden>Signed in as <b></b> <button type="button">Sign out</button></p>
  <p id="said" role="status"></p>
</header>`;

/** `urlOf` is where an asset is, relative to the page. */
export function pageHtml({ title, signIn }: GraphiQLOptions, urlOf: (name: string) => string): string {
  const worker = (label: string, name: string) => `data-${label}-worker="${urlOf(name)}"`;
  return `<!doctype html>
<html lang="en" ${worker("editor", "editor.worker.js")} ${worker("json", "json.worker.js")} ${
    worker("graphql", "graphql.worker.js")
  }>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${urlOf("graphiql.css")}">
<link rel="stylesheet" href="${urlOf("page.css")}">
<script src="${urlOf("graphiql.js")}" defer></script>
<script src="${urlOf("start.js")}" type="module"></script>
<body>${signIn ? BAR : ""}
<main id="root"><p class="loading">GraphiQL is loading …</p></main>
<noscript>GraphiQL needs JavaScript. Programs send their queries here by POST.</noscript>
</html>
`;
}
