/**
 * What a picture is before it is pixels or SVG: a background and layers on it, in pixels of the picture's own size, so that what stands on
 * whole pixels is sharp. Layers don't overlap.
 */

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];
/** x to the right, y down. */
export type Point = readonly [number, number];

export interface Drawing {
  /** Width and height. */
  readonly size: number;
  readonly background: Colour;
  readonly layers: readonly Layer[];
}

export type Layer = Shapes | Strokes;

/** Filled polygons, none of which overlap; either way around. */
export interface Shapes {
  readonly colour: Colour;
  readonly polygons: readonly (readonly Point[])[];
}

/** Lines with round ends. */
export interface Strokes {
  readonly colour: Colour;
  readonly width: number;
  readonly glyphs: readonly Glyph[];
}

/** A path of `M`, `L`, `C` and `Z` with absolute numbers, as in SVG, moved to (x, y) after it was scaled. */
export interface Glyph {
  readonly path: string;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}
