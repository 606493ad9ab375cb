/**
 * Boards drawn on a page, where there is no Grafana to show them: the same panels in the same places, with what Prometheus answered to their
 * queries. In: a board's JSON and the series of each panel. Out: HTML, to be photographed.
 */

import type { Range, Series } from "./answers.ts";
import { format } from "./format.ts";
import type { BoardJson, PanelJson } from "./grafana.ts";
import { drawGraph, escaped, NAMED } from "./graph.ts";

/** Of a page of 24 columns, in pixels. */
const COLUMN = 58;
const LINE = 30;
const GAP = 8;
/** What a panel's frame and title take. */
const FRAME = { width: GAP + 22, height: GAP + 46 };
export const PAGE_WIDTH = 24 * COLUMN + 32;

const STYLE = `
body { margin: 0; padding: 16px; background: #f4f5f7; color: #23272e; font: 13px/1.35 system-ui, "DejaVu Sans", sans-serif }
h1 { font-size: 22px; margin: 0 }
header p { margin: 2px 0 12px; color: #5a6270 }
main { position: relative; width: ${24 * COLUMN}px }
section { position: absolute; box-sizing: border-box; background: #fff; border: 1px solid #dfe2e7; border-radius: 4px; padding: 6px 10px; overflow: hidden; display: flex; flex-direction: column }
section.row { background: none; border: none; padding: 4px 0; font-weight: 600; font-size: 15px }
h2 { font-size: 13px; margin: 0 0 2px; font-weight: 600; white-space: nowrap }
svg { display: block; flex: none }
path { fill: none; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round }
text { font: 11px system-ui, "DejaVu Sans", sans-serif; fill: #5a6270 }
.legend { display: flex; flex-wrap: wrap; gap: 0 12px; font-size: 11.5px; overflow: hidden; margin-top: auto }
.legend span::before { content: ""; display: inline-block; width: 12px; height: 3px; margin-right: 5px; vertical-align: middle; background: var(--colour) }
.figure { font-size: 30px; font-weight: 600; margin: auto; white-space: nowrap }
.none { margin: auto; color: #7a828e; text-align: center }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 3px 8px; border-bottom: 1px solid #eceef1 }
th { color: #5a6270; font-weight: 500 }`;

export function drawBoard(board: BoardJson, series: ReadonlyMap<number, Series[]>, range: Range): string {
  const height = Math.max(...board.panels.map(({ gridPos: { y, h } }) => y + h)) * LINE;
  const panels = board.panels.map((panel) => box(panel, content(panel, series.get(panel.id) ?? [], range)));
  return `<!DOCTYPE html><meta charset="utf-8"><style>${STYLE}</style>
<header><h1>${escaped(board.title)}</h1><p>${escaped(board.description)}</p></header>
<main style="height:${height}px">${panels.join("\n")}</main>`;
}

function box({ type, title, gridPos: { x, y, w, h } }: PanelJson, inside: string): string {
  const place = `left:${x * COLUMN}px;top:${y * LINE}px;width:${w * COLUMN - GAP}px;height:${h * LINE - GAP}px`;
  return type === "row"
    ? `<section class="row" style="${place}">${escaped(title)}</section>`
    : `<section style="${place}"><h2>${escaped(title)}</h2>${inside}</section>`;
}

function content(panel: PanelJson, series: Series[], range: Range): string {
  if (panel.type === "row") return "";
  if (series.length === 0) {
    return `<p class="none">${escaped(panel.fieldConfig?.defaults.noValue ?? "No data")}</p>`;
  }
  if (panel.type === "stat") return figure(panel, series[0]!);
  if (panel.type === "table") return rows(panel, series);
  const { w, h } = panel.gridPos;
  return drawGraph(panel, series, range, w * COLUMN - FRAME.width, h * LINE - FRAME.height);
}

function figure({ fieldConfig }: PanelJson, { points }: Series): string {
  const { unit = "short", thresholds } = fieldConfig!.defaults;
  const value = points.at(-1)![1];
  const step = thresholds?.steps.findLast((one) => one.value === null || value >= one.value);
  return `<div class="figure" style="color:${NAMED[step?.color ?? ""] ?? "inherit"}">${format(value, unit)}</div>`;
}

function rows({ transformations, fieldConfig }: PanelJson, series: Series[]): string {
  const heads = transformations!.find(({ id }) => id === "organize")!.options.renameByName;
  const cell = ({ labels, points }: Series, name: string) =>
    name === "Value" ? format(points.at(-1)![1], fieldConfig?.defaults.unit ?? "short") : labels[name] ?? "";
  const line = (tag: string, cells: string[]) =>
    `<tr>${cells.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("")}</tr>`;
  const names = Object.keys(heads);
  return `<table>${line("th", Object.values(heads))}${
    series.map((one) => line("td", names.map((name) => cell(one, name)))).join("")
  }</table>`;
}
