/** What the boards are written in. Grafana's own form of it is made in build_panel.ts. */

import type { Query } from "./query.ts";

export interface PanelOptions {
  readonly title: string;
  /** The question that it answers. */
  readonly answers: string;
  /** What is bad to see, and what is to be done then. */
  readonly bad: string;
  readonly queries: Query | readonly Query[];
  /** Grafana's id of a unit: s, bytes, Bps, cps (a second), ops, reqps, percentunit (0 to 1), short (a number, shortened), none. */
  readonly unit: string;
  readonly limits?: Limits;
  /** The axis ends here, where it has an end; it begins at 0. */
  readonly max?: number;
  /** Why there may be nothing to show; undefined where there always is something. */
  readonly whenEmpty?: string;
  /** In Grafana's lines of about 30 pixels; as all of its kind without it. */
  readonly height?: number;
  /** The id of the board that shows more. */
  readonly board?: string;
  /** The paragraph of docs/runbook.md that says what to do. */
  readonly runbook?: string;
}

/** From where on a value is bad; in the panel's unit. */
export type Limits = { readonly yellow?: number; readonly red?: number } | { readonly redBelow: number };

export type Panel =
  | { readonly kind: "graph"; readonly options: PanelOptions }
  | { readonly kind: "figure"; readonly options: PanelOptions }
  | { readonly kind: "table"; readonly options: TableOptions }
  | { readonly kind: "text"; readonly options: TextOptions };

export interface TableOptions extends PanelOptions {
  /** Labels, and `Value`, as they are headed, from left to right. */
  readonly columns: Readonly<Record<string, string>>;
}

export interface TextOptions {
  readonly title: string;
  /** Markdown. */
  readonly content: string;
}

/** Lines over time. */
export function graph(options: PanelOptions): Panel {
  return { kind: "graph", options };
}

/** One number as it is now. */
export function figure(options: PanelOptions): Panel {
  return { kind: "figure", options };
}

/** What there is now, a row each. */
export function table(options: TableOptions): Panel {
  return { kind: "table", options };
}

/** What is to be read. */
export function text(options: TextOptions): Panel {
  return { kind: "text", options };
}
