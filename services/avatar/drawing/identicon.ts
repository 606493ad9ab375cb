/**
 * IDENTICON: four by four cells. Corners, edges and the middle have a shape each, which is turned by a quarter from one side to the next, so
 * that the whole looks the same from four sides; two colours that go together.
 */

import { darkOn, LEAST_CONTRAST, oklch } from "./colours.ts";
import type { Drawing, Point } from "./drawing.ts";
import type { Seed } from "./seed.ts";

type Shape = readonly (readonly Point[])[];

const CELLS = 4;
const MARGIN = 0.08;

/** In a cell from (0, 0) to (1, 1). */
const TRIANGLE: Shape = [[[0, 0], [1, 0], [0, 1]]];
const SPIKE: Shape = [[[0, 1], [0.5, 0], [1, 1]]];
const SQUARE: Shape = [[[0, 0], [1, 0], [1, 1], [0, 1]]];
const SMALL_SQUARE: Shape = [[[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8]]];
const QUARTER: Shape = [[[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]];
const DIAMOND: Shape = [[[0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]]];
const SLANT: Shape = [[[0, 0], [0.5, 0], [1, 1], [0.5, 1]]];
const TWO_CORNERS: Shape = [[[0, 0], [0.5, 0], [0, 0.5]], [[1, 1], [0.5, 1], [1, 0.5]]];
const HALF: Shape = [[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]];
const CUT: Shape = [[[0, 0], [1, 0], [1, 0.5], [0.5, 1], [0, 1]]];
const NOTCH: Shape = [[[0, 0], [1, 0], [0.5, 0.5], [1, 1], [0, 1]]];
const KITE: Shape = [[[0, 0], [1, 0.4], [0.4, 1]]];
const DISC: Shape = [disc(0.5, 0.5, 0.4)];
const SLIVER: Shape = [[[0, 0], [1, 0], [1, 0.35]], [[0, 1], [1, 0.65], [1, 1]]];

const CORNERS = [TRIANGLE, DIAMOND, SMALL_SQUARE, DISC, QUARTER, KITE, CUT, SPIKE];
const EDGES = [TRIANGLE, SPIKE, DIAMOND, SLANT, TWO_CORNERS, HALF, NOTCH, KITE, SLIVER, CUT];
const MIDDLES = [TRIANGLE, SQUARE, DIAMOND, CUT, NOTCH, KITE, SLANT, QUARTER, DISC, SMALL_SQUARE];

/** One cell of each four; the others are its turns around the picture's middle. */
const CORNER: Point = [0, 0];
const MIDDLE: Point = [1, 1];
const EDGE_PAIR: readonly Point[] = [[1, 0], [2, 0]];
/** From the first hue to the second, in turns. */
const SECOND_HUES = [0.08, -0.08, 0.42, 0.5, -0.3] as const;

export function identicon(seed: Seed, size: number): Drawing {
  const cell = Math.max(1, Math.floor(size * (1 - 2 * MARGIN) / CELLS));
  const start = Math.floor((size - cell * CELLS) / 2);
  const polygons = (at: Point, shape: Shape, turns: number): Point[][] =>
    [0, 1, 2, 3].flatMap((quarter) => {
      const [column, row] = turned(at, quarter, CELLS - 1);
      return shape.map((polygon) =>
        polygon.map((point): Point => {
          const [x, y] = turned(point, turns + quarter, 1);
          return [start + (column + x) * cell, start + (row + y) * cell];
        })
      );
    });
  const edge = EDGES[seed.choice(1, EDGES.length)]!;
  const turns = seed.choice(2, 4);
  // The second edge of each side is the first one's mirror as often as it is its turn.
  const outside = [
    ...polygons(EDGE_PAIR[0]!, edge, turns),
    ...polygons(EDGE_PAIR[1]!, edge, turns + 1 + 2 * seed.choice(3, 2)),
  ];
  const corner = polygons(CORNER, CORNERS[seed.choice(4, CORNERS.length)]!, seed.choice(5, 4));
  const middle = polygons(MIDDLE, MIDDLES[seed.choice(6, MIDDLES.length)]!, seed.choice(7, 4));

  const background = oklch(0.965, 0.012, seed.hue);
  const first = darkOn(background, 0.58, 0.17, seed.hue, LEAST_CONTRAST);
  const secondHue = seed.hue + SECOND_HUES[seed.choice(8, SECOND_HUES.length)]!;
  const second = darkOn(background, seed.choice(9, 2) === 0 ? 0.42 : 0.64, 0.14, secondHue, LEAST_CONTRAST);
  return {
    size,
    background,
    layers: [
      { colour: first, polygons: [...outside, ...seed.choice(10, 2) === 0 ? middle : []] },
      { colour: second, polygons: [...corner, ...seed.choice(10, 2) === 0 ? [] : middle] },
    ],
  };
}

/** Turned by quarters, clockwise, within a square from 0 to `side`. */
function turned([x, y]: Point, quarters: number, side: number): Point {
  switch (quarters % 4) {
    case 1:
      return [side - y, x];
    case 2:
      return [side - x, side - y];
    case 3:
      return [y, side - x];
    default:
      return [x, y];
  }
}

function disc(x: number, y: number, radius: number): Point[] {
  return Array.from({ length: 24 }, (_, nth): Point => {
    const angle = nth * Math.PI / 12;
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  });
}
