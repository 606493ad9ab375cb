// deno-lint-ignore-file no-explicit-any -- the types of the recipe
/** The peer: stock graphql-yoga with @graphql-tools/stitch, as their pages put them together. Arguments: URLs of subgraphs. Prints its port. */

import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { buildSchema, print } from "graphql";
import { createYoga } from "graphql-yoga";

async function ask(url: string, body: unknown): Promise<any> {
  const headers = { "content-type": "application/json", accept: "application/json" };
  return await (await fetch(`${url}/graphql`, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

const { stitchingDirectivesTransformer } = stitchingDirectives();
const schema = stitchSchemas({
  subschemaConfigTransforms: [stitchingDirectivesTransformer],
  subschemas: await Promise.all(Deno.args.map(async (url) => ({
    schema: buildSchema((await ask(url, { query: "{ _sdl }" })).data._sdl, { assumeValidSDL: true }),
    executor: ({ document, variables }: any) => ask(url, { query: print(document), variables }),
    batch: true,
  }))),
});
const yoga = createYoga({ schema, logging: false });
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) }, (request) => yoga(request));
