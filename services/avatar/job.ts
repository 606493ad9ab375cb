/**
 * What the pool and its threads say to each other: a thread that it is ready, once; then jobs one way, what became of each the other, in the
 * same order.
 */

import type { Style } from "./drawing/mod.ts";

export interface Job {
  readonly id: string;
  readonly letters: string;
  readonly style: Style;
  readonly size: number;
}

/** A PNG, or why there is none; `tookMs` is what the drawing took, in milliseconds. */
export type Drawn =
  | { readonly png: Uint8Array<ArrayBuffer>; readonly tookMs: number }
  | { readonly fault: string };

export type FromThread = "ready" | readonly Drawn[];
