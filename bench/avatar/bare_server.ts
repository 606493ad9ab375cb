/** The ceiling of what is kept: a bare `Deno.serve` that answers each request with the same picture. Prints its port. */

import { drawPng } from "../../services/avatar/drawing/mod.ts";

const png = drawPng({ id: "00000000-0000-7000-8000-000000000000", letters: "" }, "GITHUB", 128);
const headers = { "content-type": "image/png" };
Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  () => new Response(png, { headers }),
);
