/**
 * A peer, on Node: a server that draws a picture for each request by a library, as its documentation has it. Arguments: the folder of its
 * packages, and the library's name. Prints its port.
 */

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const [modules, library] = process.argv.slice(2) as [string, string];
const SIZE = 128;
const load = createRequire(`${modules}/`);

type Draw = (id: string) => Uint8Array;

const libraries: Record<string, () => Draw> = {
  jdenticon() {
    const { toPng } = load("jdenticon");
    return (id) => toPng(id, SIZE);
  },
  "identicon.js"() {
    const Identicon = load("identicon.js");
    // It takes a hash, and gives text.
    return (id) => {
      const hash = createHash("sha256").update(id).digest("hex");
      return Buffer.from(new Identicon(hash, { size: SIZE, format: "png" }).toString(), "base64");
    };
  },
};

const draw = libraries[library]!();
const server = createServer(({ url }, response) => {
  const png = draw(url!.slice("/avatars/".length, url!.indexOf(".png")));
  response.writeHead(200, { "content-type": "image/png", "content-length": png.length }).end(png);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
