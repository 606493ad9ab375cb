/** The door to drawing. In: whose picture, of which style and size. Out: a PNG or an SVG, for ever the same. */

import type { Drawing } from "./drawing.ts";
import { github } from "./github.ts";
import { identicon } from "./identicon.ts";
import { initials } from "./initials.ts";
import { encodePng } from "./png.ts";
import { rasterize } from "./raster.ts";
import { Seed } from "./seed.ts";
import { encodeSvg } from "./svg.ts";

export type Style = "GITHUB" | "IDENTICON" | "INITIALS";

/** Other pictures for the same ids have another number here: browsers keep what they have for a year, under its ETag. */
export const VERSION = 1;

export interface Sitter {
  /** A UUID in lower case. */
  readonly id: string;
  /** For INITIALS alone; see initialsOf. */
  readonly letters: string;
}

/** `size` is in pixels. */
export function drawingOf({ id, letters }: Sitter, style: Style, size: number): Drawing {
  const seed = new Seed(id);
  if (style === "GITHUB") return github(seed, size);
  return style === "IDENTICON" ? identicon(seed, size) : initials(seed, letters, size);
}

export function drawPng(sitter: Sitter, style: Style, size: number): Uint8Array<ArrayBuffer> {
  return encodePng(rasterize(drawingOf(sitter, style, size)), size);
}

export function drawSvg(sitter: Sitter, style: Style, size: number): string {
  return encodeSvg(drawingOf(sitter, style, size));
}
