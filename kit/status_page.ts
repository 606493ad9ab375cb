/** The tables of the status page: what this process is doing, for people. The page around them is dashboard/page.ts. */

import type { PageAction } from "./page_actions.ts";
import { SECOND, withTimeLimit } from "./time.ts";

/** A link to another page. */
export interface PageLink {
  readonly label: string;
  readonly href: string;
}

export type Cell = string | number | PageAction | PageLink;

export interface StatusSection {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Asked at each view; each function gives one table. */
export type StatusPage = (() => StatusSection | Promise<StatusSection>)[];

/** How long one table may take, in milliseconds: the page is asked for when something is wrong. */
const SECTION_LIMIT_MS = 2 * SECOND;

/** From so many characters on a cell is as wide as an id, or a sentence. */
const WIDE = 30;
const SENTENCE = 48;

/** Each table as HTML, in the order of `page`; one that fails or takes too long says so in its place. */
export function tables(page: StatusPage): Promise<string[]> {
  return Promise.all(page.map(async (section) => table(await orItsError(section))));
}

async function orItsError(section: () => StatusSection | Promise<StatusSection>): Promise<StatusSection> {
  try {
    return await withTimeLimit("this table", SECTION_LIMIT_MS, Promise.resolve(section()));
  } catch {
    return { title: "Not available just now", columns: [], rows: [] };
  }
}

function table({ title, columns, rows }: StatusSection): string {
  const heading = `<h2>${escapeHtml(title)}</h2>`;
  if (rows.length === 0) return `${heading}<p>none</p>`;
  const head = columns.some((column) => column !== "")
    ? `<tr>${
      columns.map((column) => column === "" ? "<td></td>" : `<th scope="col">${escapeHtml(column)}</th>`).join("")
    }</tr>`
    : "";
  const body = rows.map((row) =>
    `<tr>${row.map((cell) => `<td${widthOf(cell)}>${cellHtml(cell)}</td>`).join("")}</tr>`
  );
  // It scrolls within itself, by the keyboard as well.
  return `${heading}<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(title)}"><table>${head}${
    body.join("")
  }</table></div>`;
}

/** Short cells stay on one line; an id is too wide to stay in sight while the rest is scrolled, and a sentence is broken into lines. */
function widthOf(cell: Cell): string {
  const { length } = typeof cell === "object" ? cell.label : String(cell);
  return length > SENTENCE ? ' class="long"' : length > WIDE ? ' class="wide"' : "";
}

function cellHtml(cell: Cell): string {
  if (typeof cell !== "object") return escapeHtml(String(cell));
  if ("href" in cell) return `<a href="${escapeHtml(cell.href)}">${escapeHtml(cell.label)}</a>`;
  const { label, path, token } = cell;
  return `<form method="post" action="${escapeHtml(path)}"><input type="hidden" name="token" value="${
    escapeHtml(token)
  }">` +
    `<button>${escapeHtml(label)}</button></form>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
