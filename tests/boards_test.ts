/**
 * Grafana's boards on a running system: Debian's Prometheus scrapes all kinds of processes, which it finds by discovery, while the demo and
 * others use them, and each panel's query has data, or the panel says why there is none.
 */

import assert from "node:assert/strict";
import { delay, SECOND } from "../kit/time.ts";
import { answers, type Range, type Series } from "./boards/answers.ts";
import { type BoardJson, type PanelJson, panelsWithQueries, readBoards } from "./boards/grafana.ts";
import { Load } from "./boards/load.ts";
import { drawBoards, SCREENSHOTS } from "./boards/pictures.ts";
import { PROMETHEUS, Prometheus, sayIfNoPrometheus } from "./helpers/prometheus.ts";
import { SECRET, startSystem } from "./helpers/system.ts";

sayIfNoPrometheus("boards");

/** Prometheus scrapes more often than it does for Grafana, so that a rate is there soon; `$__rate_interval` is four scrapes there as well. */
const FASTER = 2.5;
const SCRAPE_SECONDS = 5 / FASTER;
/** Of a busy machine; on a quiet one it takes some twenty seconds. */
const LIMIT_MS = 120 * SECOND;
const GATEWAYS = 2;

Deno.test({
  name: "boards - every panel's query has data while the system is used, or the panel says why there is none",
  ignore: PROMETHEUS === undefined,
  async fn() {
    await using system = await startSystem({ counts: { gateway: GATEWAYS, mail: 1, avatar: 1, client: 1 } });
    await using prometheus = await Prometheus.start({
      discoveryUrl: system.url("discovery"),
      secret: SECRET,
      faster: FASTER,
    });
    await using _load = new Load(system, GATEWAYS);
    const boards = readBoards();

    // Each is asked until it has something to show; then all are, once more.
    let without = boards.flatMap((board) =>
      panelsWithQueries(board).map((panel) => ({ panel, name: `${board.title}: ${panel.title}` }))
    ).filter(({ panel }) => whyEmpty(panel) === undefined);
    const giveUpAt = Date.now() + LIMIT_MS;
    while (without.length > 0 && Date.now() < giveUpAt) {
      await delay(SCRAPE_SECONDS * SECOND);
      const asked = await Promise.all(without.map(({ panel }) => answers(prometheus.url, panel, lastMinute())));
      without = without.filter((_, nth) => asked[nth]!.length === 0);
    }
    assert.deepEqual(without.map(({ name }) => name), []);
    for (const board of boards) {
      const shown = await seriesOf(prometheus.url, board, lastMinute());
      for (const panel of panelsWithQueries(board)) {
        const series = shown.get(panel.id)!;
        if (series.length === 0) console.log(`${board.title}: ${panel.title}: ${whyEmpty(panel)}`);
        // A table's rows have no names, but columns.
        if (panel.type !== "table") assertNamed(`${board.title}: ${panel.title}`, series);
      }
    }
    if (SCREENSHOTS === undefined) return;
    await drawBoards(SCREENSHOTS, boards, (board, range) => seriesOf(prometheus.url, board, range));
  },
});

/** Undefined where it may not be empty. */
function whyEmpty({ fieldConfig }: PanelJson): string | undefined {
  return fieldConfig?.defaults.noValue;
}

async function seriesOf(prometheus: string, board: BoardJson, range: Range): Promise<Map<number, Series[]>> {
  const all = await Promise.all(
    panelsWithQueries(board).map(async (panel) => [panel.id, await answers(prometheus, panel, range)] as const),
  );
  return new Map(all);
}

function lastMinute(): Range {
  const end = Date.now() / SECOND;
  return { start: end - 60, end, stepSeconds: SCRAPE_SECONDS, rateInterval: `${4 * SCRAPE_SECONDS}s` };
}

/** No two lines of a panel have the same name, and none has an empty one. */
function assertNamed(panel: string, series: Series[]): void {
  const names = series.map(({ name }) => name);
  assert.ok(names.every((name) => name.trim() !== ""), `${panel}: a line has no name`);
  assert.equal(new Set(names).size, names.length, `${panel}: ${names}`);
}
