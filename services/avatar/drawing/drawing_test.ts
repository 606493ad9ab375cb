/** What is drawn: the same for ever (golden files), readable, distinct, and a PNG by somebody else's reader. */

import { decode } from "imagescript/png/src/png.mjs";
import assert from "node:assert/strict";
import { contrast, LEAST_CONTRAST } from "./colours.ts";
import { initialsOf } from "./initials.ts";
import { LETTERS } from "./letters.ts";
import { drawingOf, drawPng, drawSvg, type Style } from "./mod.ts";

const STYLES: Style[] = ["GITHUB", "IDENTICON", "INITIALS"];
const GOLDEN = new URL("golden/", import.meta.url);
/** `write`: the golden files become what is drawn now. Then VERSION in mod.ts has to change as well. */
const WRITES = Deno.env.get("NOTIFYX_TEST_GOLDEN") === "write";

function idOf(nth: number): string {
  return `00000000-0000-7000-8000-${nth.toString(16).padStart(12, "0")}`;
}

function pixelsOf(png: Uint8Array): { width: number; height: number; buffer: Uint8Array } {
  return decode(png);
}

for (const style of STYLES) {
  Deno.test(`drawing - ${style}: every pixel is as it was, in each size, and every character of the SVG`, () => {
    for (const [nth, size] of [[1, 16], [2, 33], [3, 64], [4, 128]] as const) {
      const sitter = { id: idOf(nth), letters: ["", "B", "MK", "4S"][nth - 1]! };
      for (
        const [ending, drawn] of [["png", drawPng(sitter, style, size)], ["svg", drawSvg(sitter, style, size)]] as const
      ) {
        const file = new URL(`${style.toLowerCase()}-${size}.${ending}`, GOLDEN);
        if (WRITES) Deno.writeFileSync(file, typeof drawn === "string" ? new TextEncoder().encode(drawn) : drawn);
        const golden = Deno.readFileSync(file);
        if (typeof drawn === "string") assert.equal(drawn, new TextDecoder().decode(golden), file.pathname);
        else assert.deepEqual(pixelsOf(drawn), pixelsOf(golden), file.pathname);
      }
    }
  });

  Deno.test(`drawing - ${style}: a picture of any size has that size, and nothing at its border`, () => {
    for (const size of [16, 17, 31, 50, 127, 255, 512]) {
      const { width, height, buffer } = pixelsOf(drawPng({ id: idOf(7), letters: "WW" }, style, size));
      assert.deepEqual([width, height, buffer.length], [size, size, size * size * 4]);
      const at = (x: number, y: number) => buffer.subarray((y * size + x) * 4, (y * size + x) * 4 + 4).join();
      const background = [...drawingOf({ id: idOf(7), letters: "" }, style, size).background, 255].join();
      for (let along = 0; along < size; along++) {
        for (const pixel of [at(along, 0), at(along, size - 1), at(0, along), at(size - 1, along)]) {
          assert.equal(pixel, background, `${size}`);
        }
      }
      assert.ok(buffer.some((part, nth) => part !== buffer[nth % 4]), `${size} is not empty`);
    }
  });

  Deno.test(`drawing - ${style}: of 2,000 ids each has enough contrast`, () => {
    let least = Infinity;
    for (let nth = 0; nth < 2_000; nth++) {
      const { background, layers } = drawingOf({ id: idOf(nth), letters: "A" }, style, 64);
      for (const { colour } of layers) least = Math.min(least, contrast(colour, background));
    }
    assert.ok(least >= LEAST_CONTRAST, `${least}`);
  });
}

Deno.test("drawing - contrast is WCAG's", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  // https://www.w3.org/WAI: #767676 is the lightest grey that passes 4.5 on white.
  assert.ok(contrast([0x76, 0x76, 0x76], [255, 255, 255]) >= 4.5);
  assert.ok(contrast([0x77, 0x77, 0x77], [255, 255, 255]) < 4.5);
});

Deno.test("drawing - users are told apart: hardly two of 2,000 have the same picture", () => {
  for (const [style, most] of [["GITHUB", 2], ["IDENTICON", 2]] as const) {
    const seen = new Set<string>();
    for (let nth = 0; nth < 2_000; nth++) seen.add(drawSvg({ id: idOf(nth), letters: "" }, style, 64));
    assert.ok(seen.size >= 2_000 - most, `${style}: ${seen.size} different ones`);
  }
});

Deno.test("drawing - GITHUB is mirrored, IDENTICON the same from four sides", () => {
  const size = 66;
  for (let nth = 0; nth < 30; nth++) {
    const github = pixelsOf(drawPng({ id: idOf(nth), letters: "" }, "GITHUB", 65)).buffer;
    const identicon = pixelsOf(drawPng({ id: idOf(nth), letters: "" }, "IDENTICON", size)).buffer;
    const pixel = (buffer: Uint8Array, width: number, x: number, y: number) =>
      new DataView(buffer.buffer).getUint32((y * width + x) * 4);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        if (x < 65 && y < 65) assert.equal(pixel(github, 65, x, y), pixel(github, 65, 64 - x, y));
        const [one, other] = [pixel(identicon, size, x, y), pixel(identicon, size, size - 1 - y, x)];
        // Parts of pixels are summed up in another order, which may round to the next level.
        for (const shift of [8, 16, 24]) assert.ok(Math.abs((one >>> shift & 255) - (other >>> shift & 255)) <= 17);
      }
    }
  }
});

Deno.test("drawing - every letter stays within its picture and differs from the others", () => {
  const seen = new Set<string>();
  for (const letter of Object.keys(LETTERS)) {
    seen.add(pixelsOf(drawPng({ id: idOf(1), letters: letter }, "INITIALS", 64)).buffer.toHex());
  }
  assert.equal(seen.size, 36);
});

Deno.test("drawing - initials are the first letters of the first two words of the local part", () => {
  const expected = {
    "ann@example.com": "A",
    "ann.smith@example.com": "AS",
    "Ann_Mary-Smith@example.com": "AM",
    "bob+notifyx.news@example.com": "B",
    "42nd.street@example.com": "4S",
    "émile.zola@example.com": "EZ",
    "ﬁona@example.com": "F",
    "...x@example.com": "X",
    "李雷@example.com": "",
    "李.lei@example.com": "L",
    "__@example.com": "",
    '"a@b"@example.com': "AB",
    "": "",
  };
  for (const [address, initials] of Object.entries(expected)) assert.equal(initialsOf(address), initials, address);
});
