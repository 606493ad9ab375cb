/** What the status page loads, kept compressed: npm `uplot`, which draws the graphs, and ours. */

import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import { type Cacheable, cacheable } from "../cacheable.ts";
import format from "./format.js" with { type: "text" };
import graph from "./graph.js" with { type: "text" };
import live from "./live.js" with { type: "text" };
import pageCss from "./page.css" with { type: "text" };
import tiles from "./tiles.js" with { type: "text" };

const JAVASCRIPT = "text/javascript; charset=utf-8";
const CSS = "text/css; charset=utf-8";

const FILES: readonly [name: string, text: string, type: string][] = [
  ["uplot.js", uplotJs, JAVASCRIPT],
  ["uplot.css", uplotCss, CSS],
  ["format.js", format, JAVASCRIPT],
  ["graph.js", graph, JAVASCRIPT],
  ["tiles.js", tiles, JAVASCRIPT],
  ["live.js", live, JAVASCRIPT],
  ["page.css", pageCss, CSS],
];

let assets: Promise<Map<string, Cacheable>> | undefined;

/** One of them by its name; undefined for any other name. */
export async function dashboardAsset(name: string): Promise<Cacheable | undefined> {
  assets ??= makeAssets();
  return (await assets).get(name);
}

async function makeAssets(): Promise<Map<string, Cacheable>> {
  return new Map(
    await Promise.all(FILES.map(async ([name, text, type]): Promise<[string, Cacheable]> => {
      const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
      return [name, await cacheable(new Uint8Array(await new Response(compressed).arrayBuffer()), type, true)];
    })),
  );
}
