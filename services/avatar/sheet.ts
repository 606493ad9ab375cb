/**
 * `deno task avatars --sheet FILE.png`: a contact sheet of 100 avatars, of each style some, for people to look at.
 *
 * It has more colours than a palette, so npm imagescript writes it: its PNG codec alone, which is JavaScript and asks for no permission. This
 * and tests are all that imagescript is here for (drawing/png.ts says why); no process of the system loads it.
 */

import { decode, encode } from "imagescript/png/src/png.mjs";
import { parseArgs } from "node:util";
import { reason } from "../../kit/directory.ts";
import { initialsOf } from "./drawing/initials.ts";
import { drawPng, type Style } from "./drawing/mod.ts";

const COLUMNS = 10;
/** Rows of each style. */
const ROWS: Readonly<Record<Style, number>> = { GITHUB: 4, IDENTICON: 3, INITIALS: 3 };
/** In pixels. */
const SIZE = 64;
const GAP = 8;
const CHANNELS = 3;
const NAMES =
  "ann bob.carter carol dave eve-finch frank.green grace.h heidi ivan.jones judy karl.lee laura mike.novak nina oscar.perez peggy quinn.r rosa.s steve trudy.ueda victor wendy.x xavier.young yves zoe.adams 42nd.street 7even m.k _o_ 李雷";
const HELP = `deno task avatars --sheet FILE.png

Draws a contact sheet of 100 avatars of 64 pixels: 40 of GITHUB, 30 of IDENTICON, 30 of INITIALS.`;

const file = readArguments();
const rows = Object.values(ROWS).reduce((sum, count) => sum + count);
const [width, height] = [COLUMNS, rows].map((count) => count * (SIZE + GAP) + GAP) as [number, number];
const sheet = new Uint8Array(width * height * CHANNELS).fill(255);
const names = NAMES.split(" ");
let nth = 0;
for (const [style, count] of Object.entries(ROWS) as [Style, number][]) {
  for (let one = 0; one < count * COLUMNS; one++, nth++) {
    const id = `00000000-0000-7000-8000-${nth.toString(16).padStart(12, "0")}`;
    const letters = initialsOf(`${names[one % names.length]}@example.com`);
    place(drawPng({ id, letters }, style, SIZE), nth % COLUMNS, Math.floor(nth / COLUMNS));
  }
}
try {
  Deno.writeFileSync(file, encode(sheet, { width, height, channels: CHANNELS, level: 9 }));
} catch (error) {
  console.error(`${file} can't be written: ${reason(error)}`);
  Deno.exit(1);
}
console.log(`${nth} avatars in ${file}`);

function readArguments(): string {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: { sheet: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(HELP);
      Deno.exit(0);
    }
    if (values.sheet) return values.sheet;
    console.error("it takes --sheet FILE.png; --help says more");
  } catch (error) {
    console.error(`${reason(error)}; --help says what it takes`);
  }
  Deno.exit(2);
}

function place(png: Uint8Array, column: number, row: number): void {
  const { buffer: pixels } = decode(png);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const at = ((GAP + row * (SIZE + GAP) + y) * width + GAP + column * (SIZE + GAP) + x) * CHANNELS;
      const from = (y * SIZE + x) * 4;
      sheet.set(pixels.subarray(from, from + CHANNELS), at);
    }
  }
}
