/** GITHUB: five by five cells, the left two columns mirrored to the right, in one colour on a light tint of it. */

import { darkOn, LEAST_CONTRAST, oklch } from "./colours.ts";
import type { Drawing, Point } from "./drawing.ts";
import type { Seed } from "./seed.ts";

const CELLS = 5;
/** Columns that are drawn by chance; the other ones are their mirror. */
const FREE = 3;
/** Cells of 25 that are filled: with fewer or more, pictures are hard to tell apart. */
const LEAST_FILLED = 8;
const MOST_FILLED = 17;
/** Cells are so much of the width; the rest is margin. */
const SHARE = 0.72;
/** Lightness of one half of the pictures and of the other. */
const TONES = [0.62, 0.5] as const;

export function github(seed: Seed, size: number): Drawing {
  const cell = Math.max(1, Math.floor(size * SHARE / CELLS));
  const start = Math.floor((size - cell * CELLS) / 2);
  const polygons: Point[][] = [];
  for (const [row, filled] of pattern(seed).entries()) {
    for (let column = 0; column < CELLS; column++) {
      if (!filled[Math.min(column, CELLS - 1 - column)]) continue;
      // Neighbours are one polygon.
      let end = column + 1;
      while (end < CELLS && filled[Math.min(end, CELLS - 1 - end)]) end++;
      polygons.push(rectangle(start + column * cell, start + row * cell, (end - column) * cell, cell));
      column = end;
    }
  }
  const background = oklch(0.955, 0.018, seed.hue);
  const colour = darkOn(background, TONES[seed.choice(29, 2)]!, 0.17, seed.hue, LEAST_CONTRAST);
  return { size, background, layers: [{ colour, polygons }] };
}

/** Rows of the three columns from the left. */
function pattern(seed: Seed): boolean[][] {
  const rows: boolean[][] = [];
  // The first 15 bits of which enough and not too many are set; a window of 15 of 200.
  for (let from = 0; from < 200; from += FREE * CELLS) {
    let filled = 0;
    for (let row = 0; row < CELLS; row++) {
      rows[row] = Array.from({ length: FREE }, (_, column) => seed.bit(from + row * FREE + column));
      filled += 2 * (+rows[row]![0]! + +rows[row]![1]!) + +rows[row]![2]!;
    }
    if (filled >= LEAST_FILLED && filled <= MOST_FILLED) break;
  }
  return rows;
}

function rectangle(x: number, y: number, width: number, height: number): Point[] {
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
}
