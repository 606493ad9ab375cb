/** The three subgraphs, in one process: as many would only take the core from one another. Prints a line `{"books": URL, …}`. */

import { answer, type Question } from "./answer.ts";
import { SUBGRAPHS } from "./catalog.ts";

const JSON_TYPE = { headers: { "content-type": "application/json" } };

const urls = Object.entries(SUBGRAPHS).map(([name, { stitching, federation, query }]) => {
  const root = { __typename: "Query", _sdl: stitching, _service: { sdl: federation }, ...query };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    // The gateway looks whether it is there.
    if (request.method !== "POST") return new Response(null, { status: 404 });
    const question = JSON.parse(await request.text()) as Question;
    return new Response(JSON.stringify(answer(question, root)), JSON_TYPE);
  });
  return [name, `http://127.0.0.1:${server.addr.port}`];
});
console.log(JSON.stringify(Object.fromEntries(urls)));
