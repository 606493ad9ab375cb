// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="esnext" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The graph of one tile: npm `uplot`, without axes, as wide as its place. */

const HEIGHT = 44;
/** What is shown at least, in seconds, where little is known yet. */
const LEAST_SECONDS = 300;

export class Graph {
  #plot;

  /**
   * @param {HTMLElement} place
   * @param {(at: number | undefined) => void} onCursor which point the cursor of any graph is at; undefined: it has left
   */
  constructor(place, onCursor) {
    const { uPlot } = /** @type {any} */ (globalThis);
    const colour = () => getComputedStyle(place).color;
    const options = {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [3, 0, 0, 0],
      legend: { show: false },
      axes: [{ show: false }, { show: false }],
      // All graphs follow each other's cursors.
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: "hour" } },
      scales: { x: { range: timeRange }, y: { range: valueRange } },
      series: [{}, {
        stroke: colour,
        // rgb(…) with a fifth of the colour.
        fill: () => colour().replace("rgb(", "rgba(").replace(")", ", 0.2)"),
        width: 1.5,
        points: { show: false },
      }],
      hooks: { setCursor: [(/** @type {any} */ plot) => onCursor(plot.cursor.idx ?? undefined)] },
    };
    this.#plot = new uPlot(options, [[], []], place);
    new ResizeObserver(() => this.#plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot.redraw());
  }

  /**
   * @param {readonly number[]} times seconds since 1970
   * @param {readonly (number | null)[]} values
   */
  show(times, values) {
    this.#plot.setData([times, values]);
  }
}

/**
 * @param {unknown} _
 * @param {number} first
 * @param {number} last
 */
function timeRange(_, first, last) {
  return [Math.min(first, last - LEAST_SECONDS), last];
}

/**
 * From zero, which is seen as well.
 * @param {unknown} _
 * @param {number | null} __
 * @param {number | null} most
 */
function valueRange(_, __, most) {
  return [(most || 1) * -0.05, most || 1];
}
