/** What all pages of `/inbox` look like: the colours of the mails themselves (templates/layout.tsx), in light and dark, for wide screens and phones. */

import { createHash } from "node:crypto";
import { ADDRESS_LIMIT } from "../../../kit/email_address.ts";
import { pageHeaders } from "../../../kit/page_headers.ts";
import { escapeHtml } from "../../../kit/status_page.ts";

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    --ground: light-dark(#f3f4f7, #14171d); --card: light-dark(#fff, #1d222b); --line: light-dark(#e3e6eb, #323945);
    --ink: light-dark(#1c2330, #e8ebf0); --quiet: light-dark(#5c6675, #a3adbb); --link: light-dark(#3451c6, #9db2ff);
    --tint: color-mix(in srgb, var(--link) 9%, transparent); }
  * { box-sizing: border-box; }
  body { max-width: 62rem; margin: 0 auto; padding: 1.6rem 1.2rem 2.4rem; background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
  a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
  :focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
  header { display: flex; flex-wrap: wrap; gap: .7rem 1rem; align-items: center; justify-content: space-between; margin: 0 0 1.2rem; }
  .brand { display: flex; gap: .6rem; align-items: center; color: inherit; font-size: 1.2rem; font-weight: 650; }
  .brand:hover { text-decoration: none; } .brand svg { color: var(--link); }
  input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 9px; padding: .4rem .8rem; width: 18rem; }
  ::placeholder { color: var(--quiet); opacity: 1; }
  .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; box-shadow: 0 1px 2px light-dark(#1c233012, #0003); }
  .quiet { color: var(--quiet); } .summary { margin: 0 0 .6rem .2rem; font-size: .93rem; }
  .empty { padding: 4.5rem 1.2rem; text-align: center; } .empty svg { color: var(--line); display: block; margin: 0 auto .8rem; } .empty p { margin: 0; }
  ol { list-style: none; margin: 0; padding: 0; } li + li { border-top: 1px solid var(--line); }
  li a { display: grid; grid-template-columns: 2.4rem minmax(0, 1fr) auto; gap: 0 .9rem; align-items: center; padding: .7rem 1.1rem; color: inherit; }
  li a:hover { background: var(--tint); text-decoration: none; } li a:focus-visible { outline-offset: -2px; }
  li .letter { grid-row: span 2; display: grid; place-items: center; width: 2.4rem; height: 2.4rem; border-radius: 50%; font-weight: 600;
    background: var(--tint); color: var(--link); }
  li b, li .who { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; } li b { font-weight: 600; }
  li .who { grid-column: 2 / -1; font-size: .93rem; } time { white-space: nowrap; } li time { font-size: .87rem; color: var(--quiet); }
  nav { display: flex; gap: 1.1rem; margin: 0 .2rem .6rem; font-size: .93rem; } nav .push { margin-left: auto; }
  h1 { font-size: 1.25rem; line-height: 1.35; margin: 0 0 .8rem; } .facts { padding: 1.2rem 1.3rem .9rem; }
  dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .15rem 1.1rem; margin: 0; font-size: .93rem; } dt { color: var(--quiet); } dd { margin: 0; }
  .views { gap: .2rem; margin: 0; padding: 0 .7rem; border-bottom: 1px solid var(--line); }
  .views a { padding: .45rem .8rem; color: var(--quiet); border-bottom: 2px solid transparent; margin-bottom: -1px; }
  .views a:hover { color: inherit; text-decoration: none; } .views [aria-current] { border-color: var(--link); color: var(--link); font-weight: 600; }
  iframe { display: block; width: 100%; height: max(24rem, calc(100vh - 23rem)); border: 0; background: var(--ground); }
  pre { white-space: pre-wrap; margin: 0; padding: 1.2rem 1.3rem; font: 13px/1.55 ui-monospace, SFMono-Regular, Menlo, monospace; unicode-bidi: plaintext; }
  .words { font: inherit; } .card main > p { margin: 0; padding: 3rem 1.3rem; text-align: center; }
  @media (max-width: 36rem) {
    body { padding: 1.1rem .7rem 1.6rem; } form, input { width: 100%; } li a { padding: .7rem .8rem; gap: 0 .7rem; }
    .facts { padding: 1rem 1rem .8rem; } h1 { font-size: 1.12rem; } pre { padding: 1rem; } .views { padding: 0 .2rem; }
  }`;

/** Times as people here write them, those of today without the day; and what is new in a list appears by itself. */
const SCRIPT = `
  const today = (date) => date.toDateString() === new Date().toDateString();
  const local = () => {
    for (const time of document.querySelectorAll("time")) {
      const date = new Date(time.dateTime);
      const whole = date.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
      const short = today(date) ? { timeStyle: "short" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
      time.textContent = time.closest("li") ? date.toLocaleString([], short) : whole;
      time.title = whole;
    }
  };
  let shown = document.querySelector("main.live")?.innerHTML;
  local();
  const look = async () => {
    try {
      if (!document.hidden) {
        const response = await fetch(location.href, { signal: AbortSignal.timeout(5000) });
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const now = page.querySelector("main.live")?.innerHTML;
        if (response.ok && now !== undefined && now !== shown) {
          document.querySelector("main.live").innerHTML = shown = now;
          local();
        }
      }
    } catch {
      // It is away just now.
    }
    setTimeout(look, 1500);
  };
  if (shown !== undefined) setTimeout(look, 1500);`;

const SCRIPT_HASH = createHash("sha256").update(SCRIPT).digest("base64");

/** A mail's own document has other headers (routes.ts): these are the page's around it. */
export const PAGE_HEADERS = {
  ...pageHeaders([
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src 'sha256-${SCRIPT_HASH}'`,
    "connect-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
  ]),
  "cache-control": "no-store",
};

export function envelope(size: number): string {
  return `<svg width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" ` +
    `stroke-linejoin="round" aria-hidden="true"><rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m3.5 7 8.5 6.5L20.5 7"/></svg>`;
}

/** `content` is HTML; `search` what stands in the field. */
export function page(title: string, content: string, search = ""): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} – Notifyx</title><style>${STYLE}</style>
<header><a class="brand" href="/inbox">${envelope(26)}Notifyx inbox</a>
<form role="search" action="/inbox"><input type="search" name="address" value="${escapeHtml(search)}"
  maxlength="${ADDRESS_LIMIT}" placeholder="Search by address" aria-label="Address"></form></header>
${content}
<script>${SCRIPT}</script></html>`;
}
