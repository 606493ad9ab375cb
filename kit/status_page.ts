/** GET /dashboard: what this process is doing, for people; plain HTML that needs nothing else. */

import { SECOND, withTimeLimit } from "./time.ts";

export interface StatusSection {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Asked at each view; each function gives one table. */
export type StatusPage = (() => StatusSection | Promise<StatusSection>)[];

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
  table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
  th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
  th { font-weight: 600; } .good { color: light-dark(#116329, #56d364); } .bad { color: light-dark(#b3261e, #ff7b72); }`;

/** How long one check or table may take, in milliseconds: the page is asked for when something is wrong. */
const SECTION_LIMIT_MS = 2 * SECOND;

export async function statusPage(
  service: string,
  page: StatusPage,
  readyChecks: Map<string, () => boolean | Promise<boolean>>,
): Promise<string> {
  const checks = await Promise.all(
    [...readyChecks].map(async ([name, check]): Promise<[string, boolean]> => {
      try {
        return [name, await withTimeLimit(name, SECTION_LIMIT_MS, Promise.resolve(check()))];
      } catch {
        return [name, false];
      }
    }),
  );
  const ready = checks.every(([, good]) => good);
  const process: StatusSection = {
    title: "Process",
    columns: ["", ""],
    rows: [
      ["process id", Deno.pid],
      ["memory", `${Math.round(Deno.memoryUsage().rss / 1024 / 1024)} MiB`],
      ...checks.map(([name, good]): [string, string] => [name, good ? "ok" : "waiting"]),
    ],
  };
  const sections = [process, ...await Promise.all(page.map(orItsError))];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5"><title>${escapeHtml(service)} – Notifyx</title><style>${STYLE}</style>
<h1>Notifyx ${escapeHtml(service)} <span class="${ready ? "good" : "bad"}">${
    ready ? "● ready" : "● not ready"
  }</span></h1>
${sections.map(table).join("\n")}</html>`;
}

async function orItsError(section: () => StatusSection | Promise<StatusSection>): Promise<StatusSection> {
  try {
    return await withTimeLimit("this table", SECTION_LIMIT_MS, Promise.resolve(section()));
  } catch {
    return { title: "Not available just now", columns: [], rows: [] };
  }
}

function table({ title, columns, rows }: StatusSection): string {
  const head = columns.some((column) => column !== "")
    ? `<tr>${columns.map((column) => `<th>${escapeHtml(column)}</th>`).join("")}</tr>`
    : "";
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join("")}</tr>`);
  const content = rows.length === 0
    ? "<p>none</p>"
    : `<div class="scroll"><table>${head}${body.join("")}</table></div>`;
  return `<h2>${escapeHtml(title)}</h2>${content}`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
