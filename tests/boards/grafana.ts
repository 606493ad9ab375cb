/** Boards as Grafana reads them: what of their JSON tests look at. */

export interface BoardJson {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly links: readonly { readonly title: string; readonly url?: string }[];
  readonly panels: readonly PanelJson[];
}

export interface PanelJson {
  readonly id: number;
  readonly type: "timeseries" | "stat" | "table" | "text" | "row";
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly instant?: boolean }[];
  readonly links?: readonly { readonly title: string; readonly url: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly min?: number;
      readonly max?: number;
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null; readonly color: string }[] };
    };
  };
  /** Of a table: its columns, from left to right. */
  readonly transformations?: readonly {
    readonly id: string;
    readonly options: { readonly renameByName: Readonly<Record<string, string>> };
  }[];
}

export const BOARDS = new URL("../../monitoring/grafana/dashboards/", import.meta.url);

/** All boards, by the names of their files. */
export function readBoards(): BoardJson[] {
  const names = Array.from(Deno.readDirSync(BOARDS), ({ name }) => name).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => JSON.parse(Deno.readTextFileSync(new URL(name, BOARDS))));
}

/** Those that ask Prometheus something. */
export function panelsWithQueries(board: BoardJson): PanelJson[] {
  return board.panels.filter(({ targets }) => targets !== undefined && targets.length > 0);
}

/** A query as Grafana sends it, with all instances chosen. */
export function filledIn(expr: string, rateInterval: string): string {
  return expr.replaceAll("$__rate_interval", rateInterval).replaceAll(/\$(job|instance)\b/g, ".*");
}
