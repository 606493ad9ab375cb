/**
 * GET /dashboard as HTML. All that it says is in it, so that it needs no JavaScript: without it the page is loaded anew now and then. With
 * it live.js keeps it so, and draws the graphs.
 */

import { ICON } from "../icon.ts";
import { escapeHtml } from "../status_page.ts";
import type { State, Tile, TileGroup } from "./dashboard.ts";
import { formatted, inWords, stateInWords } from "./format.js";
import { STEP_SECONDS } from "./history.ts";

export interface PageParts {
  readonly service: string;
  readonly layout: string;
  readonly state: State;
  readonly groups: readonly TileGroup[];
  /** HTML of each. */
  readonly tables: readonly string[];
}

/** Nothing but what comes from here. */
export function contentSecurityPolicy(hasButtons: boolean): string[] {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src data:",
    `form-action ${hasButtons ? "'self'" : "'none'"}`,
  ];
}

export function pageHtml({ service, layout, state, groups, tables }: PageParts): string {
  const now = new Date().toISOString();
  return `<!doctype html><html lang="en" data-layout="${layout}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${escapeHtml(service)} – Notifyx</title>
<noscript><meta http-equiv="refresh" content="${STEP_SECONDS}"></noscript>
<link rel="icon" href="${ICON}"><link rel="stylesheet" href="dashboard/assets/uplot.css">
<link rel="stylesheet" href="dashboard/assets/page.css"><script src="dashboard/assets/uplot.js" defer></script>
<script src="dashboard/assets/live.js" type="module"></script>
<header><h1>Notifyx <span>${escapeHtml(service)}</span></h1>
<p id="news">as of <time datetime="${now}">${now.slice(11, 19)} UTC</time></p></header>
<main>
${stateHtml(state)}
${groups.map(groupHtml).join("\n")}
<div id="tables">
${tables.map((html) => `<section>${html}</section>`).join("\n")}
</div></main></html>`;
}

function stateHtml({ ready, problems }: State): string {
  const kind = !ready ? "bad" : problems.length > 0 ? "doubtful" : "good";
  return `<section id="state" class="${kind}" role="status"><p><strong>${ready ? "Ready" : "Not ready"}</strong>
<span>${stateInWords(ready, problems.length)}</span></p>
<ul>${problems.map((problem) => `<li>${escapeHtml(problem)}</li>`).join("")}</ul></section>`;
}

function groupHtml(group: TileGroup): string {
  const { key, title, tiles, until } = group;
  return `<section class="group" data-group="${key}" data-until="${until ?? ""}"><h2>${
    escapeHtml(title)
  } <small></small></h2>
<ul class="tiles">${tiles.map((tile) => tileHtml(group, tile)).join("")}</ul></section>`;
}

/** What nothing is known of is not shown. */
function tileHtml({ history, until, wrong }: TileGroup, { key, label, unit }: Tile): string {
  const known = until === undefined ? [] : history.points(undefined, until).series[key]!.filter((one) => one !== null);
  const [value, unitName] = formatted(until === undefined ? null : history.at(until, key), unit);
  return `<li data-key="${key}" data-unit="${unit}"${wrong.includes(key) ? ' class="wrong"' : ""}${
    known.length === 0 ? " hidden" : ""
  }><h3>${escapeHtml(label)}</h3><p class="now"><b>${value}</b> <span>${unitName}</span></p>
<div class="graph" aria-hidden="true"></div><p class="most">${
    known.length === 0 ? "" : `at most ${inWords(Math.max(...known), unit)}`
  }</p></li>`;
}
