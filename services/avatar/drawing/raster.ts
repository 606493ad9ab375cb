/**
 * A drawing as pixels of a palette. In: a drawing. Out: rows as PNG has them, a byte for the filter (none) and one for each pixel, and their
 * colours. A pixel that a layer covers in part has one of LEVELS mixtures with the background.
 */

import type { Colour, Drawing, Layer, Point, Shapes, Strokes } from "./drawing.ts";
import { flatten } from "./flatten.ts";

/** How many steps there are from the background to a layer's colour: more are not seen, and fewer bytes are sent. */
const LEVELS = 15;

export interface Pixels {
  readonly rows: Uint8Array;
  readonly palette: readonly Colour[];
}

export function rasterize({ size, background, layers }: Drawing): Pixels {
  const rows = new Uint8Array(size * (size + 1));
  for (const [nth, layer] of layers.entries()) {
    if ("polygons" in layer) addShapes(rows, nth * LEVELS, layer, size);
    else addStrokes(rows, nth * LEVELS, layer, size);
  }
  return { rows, palette: [background, ...layers.flatMap((layer) => mixtures(background, layer))] };
}

function mixtures(background: Colour, { colour }: Layer): Colour[] {
  return Array.from({ length: LEVELS }, (_, level) => {
    const share = (level + 1) / LEVELS;
    const [red, green, blue] = colour.map((part, at) => Math.round(background[at]! + share * (part - background[at]!)));
    return [red!, green!, blue!];
  });
}

/**
 * Each side of a polygon adds what it covers: of the pixels that it goes through the part to its right, of those further right its whole
 * height; going up it takes the same away. So the sum along each row is how much of a pixel is covered.
 */
function addShapes(rows: Uint8Array, before: number, { polygons }: Shapes, size: number): void {
  const sums = new Float32Array(size * size);
  for (const polygon of polygons) {
    const sign = Math.sign(area(polygon));
    for (const [nth, from] of polygon.entries()) addSide(sums, size, from, polygon[(nth + 1) % polygon.length]!, sign);
  }
  const { left, right, top, bottom } = boxOf(polygons, 0, size);
  for (let y = top; y < bottom; y++) {
    let sum = 0;
    let index = 0;
    for (let x = left, at = y * size + x, to = at + y + 1; x < right; x++, at++, to++) {
      const change = sums[at]!;
      if (change !== 0) {
        sum += change;
        // Rounded; what is beyond LEVELS is the sum's own rounding.
        const level = Math.min(LEVELS, LEVELS * sum + 0.5 | 0);
        index = level > 0 ? before + level : 0;
      }
      if (index !== 0) rows[to] = index;
    }
  }
}

/** The pixels within `reach` of what the points are around. */
function boxOf(lines: readonly (readonly Point[])[], reach: number, size: number) {
  let [left, right, top, bottom] = [size, 0, size, 0];
  for (const line of lines) {
    for (const [x, y] of line) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return {
    left: Math.max(0, Math.floor(left - reach)),
    right: Math.min(size, Math.ceil(right + reach)),
    top: Math.max(0, Math.floor(top - reach)),
    bottom: Math.min(size, Math.ceil(bottom + reach)),
  };
}

function addSide(sums: Float32Array, size: number, from: Point, to: Point, sign: number): void {
  if (from[1] === to[1]) return;
  const [top, bottom] = from[1] < to[1] ? [from, to] : [to, from];
  const direction = from[1] < to[1] ? -sign : sign;
  const slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
  for (let row = Math.floor(top[1]); row < bottom[1]; row++) {
    const [y0, y1] = [Math.max(row, top[1]), Math.min(row + 1, bottom[1])];
    const [x0, x1] = [top[0] + (y0 - top[1]) * slope, top[0] + (y1 - top[1]) * slope];
    const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)];
    const height = direction * (y1 - y0);
    for (let column = Math.floor(left); column <= right; column++) {
      const [a, b] = [Math.max(column, left), Math.min(column + 1, right)];
      const part = right > left ? height * (b - a) / (right - left) : height;
      const inside = 1 - ((a + b) / 2 - column);
      // At the right border the rest would fall into the next row.
      if (column < size) sums[row * size + column]! += part * inside;
      if (column + 1 < size) sums[row * size + column + 1]! += part * (1 - inside);
    }
  }
}

/** Twice the area; its sign says which way around. */
function area(polygon: readonly Point[]): number {
  return polygon.reduce((sum, [x, y], nth) => {
    const [nextX, nextY] = polygon[(nth + 1) % polygon.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
}

/** How much strokes cover of a pixel: by how far its middle is from the nearest line. */
function addStrokes(rows: Uint8Array, before: number, { width, glyphs }: Strokes, size: number): void {
  const reach = width / 2 + 0.5;
  const nothing = Math.fround(reach * reach);
  const squares = new Float32Array(size * size).fill(nothing);
  const lines = glyphs.flatMap(flatten);
  for (const line of lines) {
    for (let nth = 0; nth + 1 < line.length; nth++) nearer(squares, size, [line[nth]!, line[nth + 1]!], reach);
  }
  const { left, right, top, bottom } = boxOf(lines, reach, size);
  for (let y = top; y < bottom; y++) {
    for (let x = left, at = y * size + x, to = at + y + 1; x < right; x++, at++, to++) {
      const square = squares[at]!;
      if (square === nothing) continue;
      const level = Math.round(LEVELS * Math.min(1, reach - Math.sqrt(square)));
      if (level > 0) rows[to] = before + level;
    }
  }
}

/** Lowers the squares of the distances to those to one piece of a line, within `reach` of it. */
function nearer(squares: Float32Array, size: number, piece: readonly [Point, Point], reach: number): void {
  const [[ax, ay], [bx, by]] = piece;
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const { left, right, top, bottom } = boxOf([piece], reach, size);
  for (let y = top; y < bottom; y++) {
    const py = y + 0.5 - ay;
    for (let x = left, at = y * size + x; x < right; x++, at++) {
      const px = x + 0.5 - ax;
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const square = (px - along * dx) ** 2 + (py - along * dy) ** 2;
      if (square < squares[at]!) squares[at] = square;
    }
  }
}
