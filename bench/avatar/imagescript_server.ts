/** Our own pixels, as npm imagescript writes them (level 1, its fastest), for each request anew. Prints its port. */

import { encode } from "imagescript/png/src/png.mjs";
import { drawingOf } from "../../services/avatar/drawing/mod.ts";
import { rasterize } from "../../services/avatar/drawing/raster.ts";

const SIZE = 128;
const CHANNELS = 4;
const headers = { "content-type": "image/png" };

Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, ({ url }) => {
  const id = url.slice(url.lastIndexOf("/") + 1, url.indexOf(".png"));
  const { rows, palette } = rasterize(drawingOf({ id, letters: "" }, "GITHUB", SIZE));
  const pixels = new Uint8Array(SIZE * SIZE * CHANNELS).fill(255);
  for (let y = 0, to = 0; y < SIZE; y++) {
    // Each row has a byte for its filter in front.
    for (let x = 0; x < SIZE; x++, to += CHANNELS) pixels.set(palette[rows[y * (SIZE + 1) + 1 + x]!]!, to);
  }
  return new Response(encode(pixels, { width: SIZE, height: SIZE, channels: CHANNELS, level: 1 }), { headers });
});
