/**
 * Pages for people who have followed a link in a mail and have no session; the gateway passes them on (gateway/public_routes.ts). They load
 * nothing, run no script, and tell nobody where their reader came from. They look as the mails do.
 */

import type { RequestContext } from "./http.ts";
import { pageHeaders } from "./page_headers.ts";

const STYLE = `
  :root { color-scheme: light dark; --ground: #f3f4f7; --card: #fff; --ink: #1c2330; --quiet: #5c6675; --accent: #3451c6;
    --line: #d5d9e1; --field: #7f8898; --wrong: #b3261e; font: 17px/1.5 system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { :root { --ground: #14171d; --card: #1d222b; --ink: #e8ebf0; --quiet: #a3adbb;
    --accent: #4a67dc; --line: #323945; --field: #79849a; --wrong: #ffb4ab; } }
  * { box-sizing: border-box; }
  body { background: var(--ground); color: var(--ink); margin: 0 auto; max-width: 34rem; overflow-wrap: anywhere;
    padding: max(1.2rem, 6vh) 1.2rem 2rem; }
  header { color: var(--quiet); font-size: .85rem; font-weight: 600; padding: 0 .3rem .7rem; }
  main { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.6rem; }
  h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 .8rem; }
  p { margin: 0 0 1rem; }
  main > :last-child, form > :last-child { margin-bottom: 0; }
  label { display: block; font-size: .9rem; margin: 0 0 1rem; }
  input, button { border-radius: .5rem; font: inherit; min-height: 2.9rem; padding: .5rem .9rem; }
  input { background: var(--ground); border: 1px solid var(--field); color: inherit; display: block; font-size: 1rem;
    margin-top: .3rem; width: 100%; }
  button { background: var(--accent); border: 0; color: #fff; cursor: pointer; font-weight: 600; padding: .5rem 1.4rem; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  [hidden] { display: none !important; }
  .quiet { color: var(--quiet); font-size: .9rem; }
  .wrong { color: var(--wrong); font-weight: 600; }`;

/** When to come back to a page that says {@link LATER}, in seconds. */
const RETRY_AFTER_SECONDS = 2;

export const LATER = `<h1>This can't be done just now</h1><p>Please open the link again in a moment.</p>`;

/** A whole page around `content`, which is HTML; with 503 it says when to come back. */
export function publicPage(
  c: RequestContext,
  status: 200 | 400 | 404 | 503,
  title: string,
  content: string,
): Response {
  const headers: Record<string, string> = {
    ...pageHeaders(["default-src 'none'", "style-src 'unsafe-inline'", "form-action 'self'"]),
    "cache-control": "no-store",
  };
  if (status === 503) headers["retry-after"] = `${RETRY_AFTER_SECONDS}`;
  return c.html(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><title>${title}</title><style>${STYLE}</style>
<body><header>Notifyx</header><main>
${content}</main></body></html>`,
    status,
    headers,
  );
}
