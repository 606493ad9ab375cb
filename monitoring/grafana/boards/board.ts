/** A board as it is written: rows of panels. Grafana's own form of it is made in build_board.ts. */

import type { ServiceName } from "../../../kit/ports.ts";
import type { Panel } from "./panels.ts";

export interface Board {
  /** Part of its address, and the name of its file. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Whose instances its variable offers: those of some kinds, or of all, and then the kind can be chosen as well; without it there is none. */
  readonly jobs?: readonly ServiceName[] | "all";
  readonly rows: readonly Row[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** What all of ours have, and by which they lead to each other. */
export const TAG = "notifyx";

/** How Grafana knows a board. */
export function uidOf(id: string): string {
  return `${TAG}-${id}`;
}
