/** INITIALS: one or two letters, white on a colour. */

import { darkOn, LEAST_CONTRAST, WHITE } from "./colours.ts";
import type { Drawing, Glyph } from "./drawing.ts";
import { type Letter, LETTERS, PERSON } from "./letters.ts";
import type { Seed } from "./seed.ts";

/** In units of a letter, which is 100 high. */
const STROKE = 16;
const GAP = 32;
/** What letters may take of the picture, strokes and all. */
const MOST_HEIGHT = 0.48;
const MOST_WIDTH = 0.7;

const TONES = [0.62, 0.55, 0.48] as const;

/** @param letters of {@link initialsOf} */
export function initials(seed: Seed, letters: string, size: number): Drawing {
  const shown: Letter[] = letters === "" ? [PERSON] : [...letters].map((one) => LETTERS[one] ?? PERSON);
  const width = shown.reduce((sum, letter) => sum + letter.width, GAP * (shown.length - 1));
  const scale = Math.min(size * MOST_HEIGHT / (100 + STROKE), size * MOST_WIDTH / (width + STROKE));
  const y = (size - 100 * scale) / 2;
  let x = (size - width * scale) / 2;
  const glyphs = shown.map((letter): Glyph => {
    const glyph = { path: letter.path, x, y, scale };
    x += (letter.width + GAP) * scale;
    return glyph;
  });
  const background = darkOn(WHITE, TONES[seed.choice(11, TONES.length)]!, 0.15, seed.hue, LEAST_CONTRAST);
  return { size, background, layers: [{ colour: WHITE, width: STROKE * scale, glyphs }] };
}

/** Of the first two words of the local part, in upper case without accents; empty where there is no letter or digit that can be drawn. */
export function initialsOf(address: string): string {
  const local = address.slice(0, Math.max(0, address.lastIndexOf("@"))).split("+")[0]!;
  const plain = local.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase();
  const words = plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  return words.map((word) => [...word][0]!).filter((letter) => Object.hasOwn(LETTERS, letter)).slice(0, 2).join("");
}
