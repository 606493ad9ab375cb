/** A panel as Grafana reads it. In: what a board says of it. Out: Grafana's JSON, but for its place and its id. */

import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type DashboardLink,
  DashboardLinkBuilder,
  type Panel as PanelJson,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as Text, TextMode } from "@grafana/grafana-foundation-sdk/text";
import { PanelBuilder as Timeseries } from "@grafana/grafana-foundation-sdk/timeseries";
import { uidOf } from "./board.ts";
import type { Limits, Panel, PanelOptions, TableOptions } from "./panels.ts";
import type { RunbookLinks } from "./runbook.ts";

/** As provisioning/datasources/prometheus.yml has it. */
export const PROMETHEUS = { type: "prometheus", uid: "prometheus" };
/** In Grafana's lines of about 30 pixels. */
const HEIGHTS = { figure: 4, graph: 8, table: 8, text: 8 } as const;
/** So much of the area below a line is tinted, in percent. */
const FILL = 8;
/** In a link: the time that one is looking at. */
const TIME = "${__url_time_range}";

export function buildPanel(panel: Panel, runbook: RunbookLinks): PanelJson {
  if (panel.kind === "text") return text(panel.options.title, panel.options.content).height(HEIGHTS.text).build();
  return asked(panel, runbook).height(panel.options.height ?? HEIGHTS[panel.kind]).build();
}

function text(title: string, content: string) {
  return new Text().title(title).mode(TextMode.Markdown).content(content);
}

function asked(panel: Exclude<Panel, { kind: "text" }>, runbook: RunbookLinks) {
  const { options } = panel;
  const built = panel.kind === "table" ? table(panel.options) : panel.kind === "figure" ? figure() : graph(options);
  built.title(options.title)
    .description(`${options.answers}\n\n**Bad:** ${options.bad}`)
    .datasource(PROMETHEUS)
    .unit(options.unit)
    .links(links(options, runbook))
    .targets(targets(panel));
  if (options.unit === "none") built.decimals(0);
  if (options.whenEmpty !== undefined) built.noValue(options.whenEmpty);
  if (options.limits !== undefined) built.thresholds(thresholds(options.limits));
  return built;
}

function graph({ max, limits }: PanelOptions): Timeseries {
  const built = new Timeseries()
    .fillOpacity(FILL)
    .min(0)
    .legend(
      new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom)
        .showLegend(true).calcs([]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (max !== undefined) built.max(max);
  if (limits !== undefined) {
    built.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  return built;
}

function figure(): Stat {
  return new Stat()
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]));
}

function table({ columns, board }: TableOptions): Table {
  const names = Object.keys(columns);
  const built = new Table()
    .showHeader(true)
    .withTransformation({
      id: "organize",
      options: {
        excludeByName: { Time: true, ...names.includes("Value") ? {} : { Value: true } },
        indexByName: Object.fromEntries(names.map((name, nth) => [name, nth])),
        renameByName: columns,
      },
    });
  if (board !== undefined) built.dataLinks([link("Runbook", `/d/${uidOf(board)}`)]);
  return built;
}

function targets({ kind, options: { queries } }: Panel & { options: PanelOptions }): Builder<Dataquery>[] {
  return (Array.isArray(queries) ? queries : [queries]).map(({ expr, legend }, nth) => {
    const query = new DataqueryBuilder().refId("ABCDEFGH"[nth]!).datasource(PROMETHEUS).expr(expr).legendFormat(legend);
    if (kind === "table") return query.instant().format(PromQueryFormat.Table);
    // Of a histogram that is traced there are points that lead to traces.
    return query.range().exemplar(kind === "graph" && expr.includes("_seconds_bucket"));
  });
}

function links({ board, runbook }: PanelOptions, paragraphs: RunbookLinks): Builder<DashboardLink>[] {
  return [
    ...board === undefined ? [] : [link("More", `/d/${uidOf(board)}?${TIME}`)],
    ...runbook === undefined ? [] : [link(`Runbook: ${runbook}`, paragraphs.urlOf(runbook))],
  ];
}

function link(title: string, url: string): Builder<DashboardLink> {
  return new DashboardLinkBuilder(title).url(url);
}

function thresholds(limits: Limits): Builder<{ mode: ThresholdsMode; steps: Threshold[] }> {
  const steps: Threshold[] = "redBelow" in limits
    ? [{ value: null, color: "red" }, { value: limits.redBelow, color: "green" }]
    : [
      { value: null, color: "green" },
      ...limits.yellow === undefined ? [] : [{ value: limits.yellow, color: "yellow" }],
      ...limits.red === undefined ? [] : [{ value: limits.red, color: "red" }],
    ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
