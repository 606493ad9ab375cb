/** Grafana's boards as they are written down: what the code gives, in metrics that there are, with every panel explained and every link good. */

import assert from "node:assert/strict";
import { stringify } from "yaml";
import { METRICS } from "../kit/metrics/catalogue.ts";
import { generateBoards } from "../monitoring/grafana/boards/main.ts";
import { type BoardJson, BOARDS, filledIn, panelsWithQueries, readBoards } from "./boards/grafana.ts";
import { PROMTOOL, sayIfNoPrometheus } from "./helpers/prometheus.ts";

sayIfNoPrometheus("queries of boards");

/** Prometheus's own, and what it makes of alerts. */
const FOREIGN = /\b(ALERTS|up|scrape_duration_seconds|scrape_samples_scraped)\b/;

const boards = readBoards();
const panels = boards.flatMap((board) =>
  panelsWithQueries(board).map((panel) => ({ ...panel, name: `${board.title}: ${panel.title}` }))
);

Deno.test("boards - what is written down is what the code gives (deno task dashboards)", () => {
  const generated = generateBoards();
  assert.equal(boards.length, generated.size);
  for (const [name, text] of generated) {
    assert.ok(text === Deno.readTextFileSync(new URL(name, BOARDS)), `${name} is stale: deno task dashboards`);
  }
});

Deno.test("boards - every metric that a panel names is in the catalogue, and asked for as what it is", () => {
  for (const { name, targets } of panels) {
    for (const { expr } of targets!) {
      const metrics = expr.match(/\bnotifyx_\w+/g) ?? [];
      assert.ok(metrics.length > 0 || FOREIGN.test(expr), `${name}: ${expr}`);
      for (const metric of metrics) assert.ok(isMeasured(metric), `${name}: there is no ${metric}`);
      for (const [, counter] of expr.matchAll(/\b(?:rate|increase)\((\w+)/g)) {
        assert.match(counter!, /_(total|bucket|count)$/, `${name}: ${counter} is no counter`);
      }
    }
  }
});

Deno.test({
  name: "boards - every query is one for promtool",
  ignore: PROMTOOL === undefined,
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".yml" });
    try {
      const rules = panels.flatMap(({ targets }) => targets!.map(({ expr }) => filledIn(expr, "20s")))
        .map((expr, nth) => ({ record: `board:query:${nth}`, expr }));
      await Deno.writeTextFile(file, stringify({ groups: [{ name: "boards", rules }] }, { lineWidth: 0 }));
      const { success, stderr } = await new Deno.Command(PROMTOOL!, { args: ["check", "rules", file] }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("boards - each panel says what it answers and what is bad, in which unit, and names its lines", () => {
  for (const { name, description, fieldConfig, targets } of panels) {
    assert.match(description ?? "", /^[^]+\n\n\*\*Bad:\*\* [^]+$/, name);
    assert.ok(fieldConfig?.defaults.unit, name);
    for (const { legendFormat } of targets!) assert.ok(legendFormat, name);
  }
});

Deno.test("boards - panels stand side by side, and links lead to boards and panels that there are", () => {
  const byUid = new Map(boards.map((board) => [board.uid, board]));
  for (const board of boards) {
    assert.deepEqual(overlaps(board), [], board.title);
    const urls = [...board.links, ...board.panels.flatMap(({ links = [] }) => links)].flatMap(({ url }) => url ?? []);
    for (const url of urls.filter((url) => url.startsWith("/d/"))) {
      const { pathname, searchParams } = new URL(url, "http://grafana.example");
      const target = byUid.get(pathname.slice("/d/".length));
      assert.ok(target, `${board.title}: ${url}`);
      const panel = searchParams.get("viewPanel");
      if (panel !== null) assert.ok(target.panels.some(({ id }) => id === Number(panel)), `${board.title}: ${url}`);
    }
  }
});

/** A histogram is asked for by its parts. */
function isMeasured(name: string): boolean {
  const definitions: Readonly<Record<string, { readonly type: string }>> = METRICS;
  if (name in definitions) return definitions[name]!.type !== "histogram";
  return definitions[name.replace(/_(bucket|count|sum)$/, "")]?.type === "histogram";
}

function overlaps({ panels }: BoardJson): string[] {
  return panels.flatMap((one, nth) =>
    panels.slice(nth + 1).filter((other) => {
      const [a, b] = [one.gridPos, other.gridPos];
      return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    }).map((other) => `${one.title} and ${other.title}`)
  );
}
