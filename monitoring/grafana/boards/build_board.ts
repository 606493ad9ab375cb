/** A board as Grafana reads it. In: rows of panels. Out: Grafana's JSON, with places, ids, variables and links. */

import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel as PanelJson,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { type Board, type Row, TAG, uidOf } from "./board.ts";
import { buildPanel, PROMETHEUS } from "./build_panel.ts";
import { RUNBOOK, type RunbookLinks } from "./runbook.ts";

const COLUMNS = 24;
/** Side by side at most; a row has one kind of panels, or those that agree in this. */
const ABREAST = { figure: 6, graph: 3, table: 3, text: 1 } as const;
/** Where traces are kept, by the uid of traces/*.yml. */
const TRACES = JSON.stringify({
  traces: { datasource: "traces", queries: [{ refId: "A" }], range: { from: "now-1h", to: "now" } },
});

export function buildBoard(board: Board, runbook: RunbookLinks): Dashboard {
  const built = new DashboardBuilder(board.title)
    .uid(uidOf(board.id))
    .description(board.description)
    .tags([TAG])
    .readonly()
    .timezone("browser")
    .time({ from: "now-1h", to: "now" })
    .refresh("10s")
    .tooltip(DashboardCursorSync.Crosshair)
    .links([
      new DashboardLinkBuilder("Boards").type(DashboardLinkType.Dashboards).tags([TAG]).asDropdown(true).keepTime(true),
      new DashboardLinkBuilder("Runbook").url(`/d/${uidOf(RUNBOOK)}`).icon("doc"),
      new DashboardLinkBuilder("Traces").url(`/explore?schemaVersion=1&panes=${encodeURIComponent(TRACES)}`).icon(
        "bolt",
      ),
    ].map(inSight))
    .annotation(
      new AnnotationQueryBuilder().name("Alerts").datasource(PROMETHEUS).enable(true).iconColor("red")
        .expr('ALERTS{alertstate="firing"}').titleFormat("{{alertname}}").textFormat("{{service}} {{instance}}").step(
          "15s",
        ),
    );
  for (const name of variables(board)) built.withVariable(name);
  let id = 0;
  for (const row of board.rows) {
    built.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of placed(row, runbook)) built.withPanel({ build: () => ({ ...panel, id: ++id }) });
  }
  return built.build();
}

/** The SDK would have it in a menu. */
function inSight(link: DashboardLinkBuilder): Builder<DashboardLink> {
  return { build: () => ({ ...link.build(), placement: undefined }) };
}

function variables({ jobs }: Board): QueryVariableBuilder[] {
  if (jobs === undefined) return [];
  if (jobs === "all") {
    return [
      variable("job", "Service", "label_values(notifyx_build_info, job)"),
      variable("instance", "Instance", 'label_values(notifyx_build_info{job=~"$job"}, instance)'),
    ];
  }
  return [variable("instance", "Instance", `label_values(notifyx_build_info{job=~"${jobs.join("|")}"}, instance)`)];
}

/** All are chosen at first, those that come later included. */
function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name).label(label).datasource(PROMETHEUS).query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged).sort(VariableSort.NaturalAsc)
    .multi(true).includeAll(true).allValue(".*")
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}

/** Its panels, in lines that are about as full as each other: the SDK puts them side by side. */
function placed({ panels }: Row, runbook: RunbookLinks): PanelJson[] {
  const lines = Math.ceil(panels.length / ABREAST[panels[0]!.kind]);
  return panels.map((panel, nth) => {
    const line = Math.floor(nth * lines / panels.length);
    const inLine = Math.ceil((line + 1) * panels.length / lines) - Math.ceil(line * panels.length / lines);
    const built = buildPanel(panel, runbook);
    return { ...built, gridPos: { ...built.gridPos!, w: COLUMNS / inLine } };
  });
}
