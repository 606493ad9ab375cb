/** A glyph's path as lines of points, in pixels: curves become so many straight pieces that nobody sees it. */

import type { Glyph, Point } from "./drawing.ts";

/** How long a piece of a curve is at least, in pixels. */
const PIECE = 2.5;

export function flatten({ path, x, y, scale }: Glyph): Point[][] {
  const lines: Point[][] = [];
  let line: Point[] = [];
  for (const [, command, numbers] of path.matchAll(/([MLCZ])([^MLCZ]*)/g)) {
    const given = (numbers!.match(/-?[\d.]+/g) ?? []).map(Number);
    const points = Array.from(
      { length: given.length / 2 },
      (_, nth): Point => [x + scale * given[2 * nth]!, y + scale * given[2 * nth + 1]!],
    );
    if (command === "M") lines.push(line = [points[0]!]);
    else if (command === "L") line.push(points[0]!);
    else if (command === "Z") line.push(line[0]!);
    else line.push(...curve(line.at(-1)!, points));
  }
  return lines;
}

/** A cubic Bézier curve without its first point. */
function curve(from: Point, [first, second, to]: readonly Point[]): Point[] {
  const length = Math.hypot(to![0] - from[0], to![1] - from[1]);
  const pieces = Math.max(4, Math.ceil(length / PIECE));
  return Array.from({ length: pieces }, (_, nth): Point => {
    const t = (nth + 1) / pieces;
    const at = (axis: 0 | 1) =>
      (1 - t) ** 3 * from[axis] + 3 * (1 - t) ** 2 * t * first![axis] + 3 * (1 - t) * t ** 2 * second![axis] +
      t ** 3 * to![axis];
    return [at(0), at(1)];
  });
}
