/** One graph in SVG, with its axes, limits and legend. In: a panel and its series. Out: HTML that fills the panel. */

import type { Range, Series } from "./answers.ts";
import { format } from "./format.ts";
import type { PanelJson } from "./grafana.ts";

/** Where the axes stand, and what is beyond them, in pixels. */
const MARGIN = { left: 58, right: 6, top: 8, bottom: 18 };
/** Of a legend's line, and about of a letter in it; so many lines at most. */
const LEGEND_LINE = 16;
const LETTER = 6.5;
const MOST_LINES = 5;
const COLOURS = [
  "#2f7ed8",
  "#d9730d",
  "#2e9e5b",
  "#b8439a",
  "#7a5cc9",
  "#a68a00",
  "#0d9aa8",
  "#c0392b",
  "#5b6b7b",
  "#6d4c2f",
];
/** What Grafana has words for. */
export const NAMED: Readonly<Record<string, string>> = { green: "#2e9e5b", yellow: "#c98a00", red: "#d0342c" };

/** `width` and `height` are what the panel has for both. */
export function drawGraph(panel: PanelJson, series: Series[], range: Range, width: number, height: number): string {
  return plot(panel, series, range, width, height - legendLines(series, width) * LEGEND_LINE) + legend(series);
}

function plot(panel: PanelJson, series: Series[], range: Range, width: number, height: number): string {
  const { unit = "short", min: lower = 0, max, thresholds } = panel.fieldConfig!.defaults;
  const highest = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)));
  const marks = ticks(lower, max ?? (highest > lower ? highest * 1.08 : lower + 1), unit);
  const upper = Math.max(marks.at(-1)!, highest);
  const [left, right, bottom] = [MARGIN.left, width - MARGIN.right, height - MARGIN.bottom];
  const x = (time: number) => left + (time - range.start) / (range.end - range.start) * (right - left);
  const y = (value: number) => bottom - (value - lower) / (upper - lower) * (bottom - MARGIN.top);
  const across = (value: number, stroke: string) =>
    `<line x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}" ${stroke}/>`;

  const grid = marks.map((value) =>
    across(value, 'stroke="#e6e8ec"') +
    `<text x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${format(value, unit)}</text>`
  );
  const limits = (thresholds?.steps ?? []).map(({ value, color }) =>
    value === null || value <= lower || value > upper || color === "green"
      ? ""
      : across(value, `stroke="${NAMED[color]}" stroke-dasharray="5 4"`)
  );
  const times = ["start", "middle", "middle", "end"].map((anchor, nth) => {
    const time = range.start + nth / 3 * (range.end - range.start);
    return `<text x="${x(time)}" y="${height - 3}" text-anchor="${anchor}">${clock(time)}</text>`;
  });
  const lines = series.map(({ points }, nth) => {
    const path = pieces(points, range.stepSeconds).map((piece) => {
      const way = piece.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
      // A single point is a line of no length: round ends show it.
      return `M${way}${piece.length === 1 ? "h0" : ""}`;
    });
    return `<path d="${path.join("")}" stroke="${colourOf(nth)}"/>`;
  });
  return `<svg width="${width}" height="${height}">${[...grid, ...limits, ...times, ...lines].join("")}</svg>`;
}

function legend(series: Series[]): string {
  const names = series.map(({ name }, nth) => `<span style="--colour:${colourOf(nth)}">${escaped(name)}</span>`);
  return `<div class="legend">${names.join("")}</div>`;
}

function legendLines(series: Series[], width: number): number {
  let lines = 1;
  let taken = 0;
  for (const { name } of series) {
    const needed = name.length * LETTER + 30;
    if (taken > 0 && taken + needed > width) {
      lines++;
      taken = 0;
    }
    taken += needed;
  }
  return Math.min(lines, MOST_LINES);
}

/** A line ends where a value is missing. */
function pieces(points: Series["points"], stepSeconds: number): Series["points"][] {
  const all: (readonly [number, number])[][] = [];
  let before = -Infinity;
  for (const point of points) {
    if (point[0] - before > 1.5 * stepSeconds) all.push([]);
    all.at(-1)!.push(point);
    before = point[0];
  }
  return all;
}

/** Round numbers of a unit from `lower` to `upper` or beyond, about four of them. */
function ticks(lower: number, upper: number, unit: string): number[] {
  const step = roundStep((upper - lower) / 4, unit);
  return Array.from({ length: Math.ceil((upper - lower) / step - 1e-9) + 1 }, (_, nth) => lower + nth * step);
}

/** The least one that is not below `rough`. */
function roundStep(rough: number, unit: string): number {
  if (unit === "bytes" || unit === "Bps") return 2 ** Math.ceil(Math.log2(Math.max(1, rough)));
  if (unit === "s" && rough > 10) return [15, 30, 60, 120, 300, 600, 1800, 3600].find((one) => one >= rough) ?? rough;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough)!;
  return unit === "none" || unit === "short" ? Math.max(1, step) : step;
}

function colourOf(nth: number): string {
  return COLOURS[nth % COLOURS.length]!;
}

/** By UTC. */
function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
