/** The task that draws the contact sheet, as people run it. */

import { decode } from "imagescript/png/src/png.mjs";
import assert from "node:assert/strict";
import { drawPng } from "./drawing/mod.ts";

const PROGRAM = new URL("sheet.ts", import.meta.url).pathname;
const SIZE = 64;
const STEP = 72;
const GAP = 8;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-write", "--allow-env=NODE_ENV", PROGRAM, ...args],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("sheet - 100 avatars, each a different one, the first as the service draws it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/sheet.png`;
    const { code, stdout } = await run("--sheet", file);
    assert.deepEqual([code, stdout], [0, `100 avatars in ${file}`]);
    const { width, height, buffer } = decode(await Deno.readFile(file)) as {
      width: number;
      height: number;
      buffer: Uint8Array;
    };
    const channels = buffer.length / (width * height);
    const side = 10 * STEP + GAP;
    assert.deepEqual([width, height], [side, side]);
    const avatar = (nth: number) => {
      const [left, top] = [GAP + nth % 10 * STEP, GAP + Math.floor(nth / 10) * STEP];
      return Array.from({ length: SIZE * SIZE }, (_, at) => {
        const from = ((top + Math.floor(at / SIZE)) * width + left + at % SIZE) * channels;
        return buffer.subarray(from, from + 3).toHex();
      }).join();
    };
    assert.equal(new Set(Array.from({ length: 100 }, (_, nth) => avatar(nth))).size, 100);
    const first = decode(drawPng({ id: "00000000-0000-7000-8000-000000000000", letters: "" }, "GITHUB", SIZE)).buffer;
    const pixels = Array.from({ length: SIZE * SIZE }, (_, at) => first.subarray(at * 4, at * 4 + 3).toHex());
    assert.equal(avatar(0), pixels.join());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sheet - what is wrong is one line, and a code", async () => {
  for (
    const [args, code, line] of [
      [[], 2, /^it takes --sheet FILE\.png/],
      [["--sheets", "x"], 2, /--help says what it takes$/],
      [["--sheet", "/nowhere/x.png"], 1, /^\/nowhere\/x\.png can't be written: /],
    ] as [string[], number, RegExp][]
  ) {
    const ran = await run(...args);
    assert.deepEqual([ran.code, ran.stderr.includes("\n")], [code, false], ran.stderr);
    assert.match(ran.stderr, line);
  }
  assert.equal((await run("--help")).code, 0);
});
