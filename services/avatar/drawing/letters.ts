/**
 * The letters of INITIALS: the middle lines of strokes with round ends, between y = 0 and 100. Strokes rather than a font: they are the same in
 * PNG and SVG on every machine, and no file has to be read.
 */

export interface Letter {
  readonly width: number;
  readonly path: string;
}

const O = "M39 0C61 0 78 22 78 50C78 78 61 100 39 100C17 100 0 78 0 50C0 22 17 0 39 0Z";
const P = "M0 100L0 0L32 0C49 0 58 12 58 28C58 44 49 56 32 56L0 56";

export const LETTERS: Readonly<Record<string, Letter>> = {
  A: { width: 76, path: "M0 100L38 0L76 100M13 66L63 66" },
  B: {
    width: 62,
    path: "M0 0L0 100L34 100C52 100 62 89 62 74C62 58 51 48 34 48L0 48M34 48C48 48 56 38 56 24C56 10 47 0 34 0L0 0",
  },
  C: { width: 70, path: "M70 18C63 6 52 0 39 0C17 0 0 22 0 50C0 78 17 100 39 100C52 100 63 94 70 82" },
  D: { width: 70, path: "M0 0L0 100L26 100C53 100 70 80 70 50C70 20 53 0 26 0Z" },
  E: { width: 54, path: "M54 0L0 0L0 100L54 100M0 49L46 49" },
  F: { width: 52, path: "M52 0L0 0L0 100M0 50L44 50" },
  G: { width: 74, path: "M69 18C62 6 52 0 39 0C17 0 0 22 0 50C0 78 17 100 39 100C59 100 74 86 74 62L74 54L44 54" },
  H: { width: 66, path: "M0 0L0 100M66 0L66 100M0 49L66 49" },
  I: { width: 0, path: "M0 0L0 100" },
  J: { width: 48, path: "M48 0L48 68C48 88 39 100 24 100C12 100 3 93 0 81" },
  K: { width: 62, path: "M0 0L0 100M60 0L0 58M23 36L62 100" },
  L: { width: 50, path: "M0 0L0 100L50 100" },
  M: { width: 86, path: "M0 100L0 0L43 62L86 0L86 100" },
  N: { width: 68, path: "M0 100L0 0L68 100L68 0" },
  O: { width: 78, path: O },
  P: { width: 58, path: P },
  Q: { width: 80, path: `${O}M52 72L80 104` },
  R: { width: 60, path: `${P}M30 56L60 100` },
  S: {
    width: 58,
    path: "M55 17C50 6 41 0 29 0C14 0 3 9 3 24C3 40 15 45 30 49C46 53 58 59 58 75C58 91 46 100 29 100C15 100 4 93 0 81",
  },
  T: { width: 68, path: "M0 0L68 0M34 0L34 100" },
  U: { width: 66, path: "M0 0L0 66C0 87 13 100 33 100C53 100 66 87 66 66L66 0" },
  V: { width: 74, path: "M0 0L37 100L74 0" },
  W: { width: 100, path: "M0 0L24 100L50 22L76 100L100 0" },
  X: { width: 68, path: "M0 0L68 100M68 0L0 100" },
  Y: { width: 70, path: "M0 0L35 50L70 0M35 50L35 100" },
  Z: { width: 62, path: "M0 0L62 0L0 100L62 100" },
  0: { width: 62, path: "M31 0C49 0 62 20 62 50C62 80 49 100 31 100C13 100 0 80 0 50C0 20 13 0 31 0Z" },
  1: { width: 26, path: "M0 20L26 0L26 100" },
  2: { width: 58, path: "M2 26C4 10 14 0 30 0C46 0 57 11 57 27C57 40 50 50 38 62L0 100L58 100" },
  3: {
    width: 56,
    path:
      "M2 18C7 6 16 0 28 0C43 0 53 10 53 24C53 38 43 47 26 47C45 47 56 57 56 73C56 89 45 100 28 100C14 100 4 93 0 80",
  },
  4: { width: 66, path: "M48 100L48 0L0 68L66 68" },
  5: { width: 57, path: "M53 0L8 0L4 46C11 40 19 37 28 37C45 37 57 49 57 68C57 87 45 100 27 100C13 100 4 93 0 82" },
  6: {
    width: 60,
    path: "M49 7C44 2 38 0 32 0C13 0 0 22 0 58C0 85 12 100 31 100C48 100 60 87 60 68C60 50 48 38 32 38C16 38 4 47 0 60",
  },
  7: { width: 58, path: "M0 0L58 0L20 100" },
  8: {
    width: 58,
    path:
      "M29 0C43 0 53 10 53 24C53 38 43 47 29 47C15 47 5 38 5 24C5 10 15 0 29 0ZM29 47C46 47 58 58 58 74C58 90 46 100 29 100C12 100 0 90 0 74C0 58 12 47 29 47Z",
  },
  9: {
    width: 60,
    path:
      "M11 93C16 98 22 100 28 100C47 100 60 78 60 42C60 15 48 0 29 0C12 0 0 13 0 32C0 50 12 62 28 62C44 62 56 53 60 40",
  },
};

/** A head and shoulders, for an address that begins with no letter that is here. */
export const PERSON: Letter = {
  width: 92,
  path:
    "M46 0C59 0 68 10 68 23C68 36 59 46 46 46C33 46 24 36 24 23C24 10 33 0 46 0ZM0 100C2 78 20 66 46 66C72 66 90 78 92 100",
};
