/**
 * `deno task client:types [--check]`: the types of the API, schema.ts, from the schemas of all services. What comes from another service
 * than its parent is nullable, as it is in the gateway's graph. With --check it only looks, and exits 1 where they are stale.
 */

import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import { mergeSchemas } from "@graphql-tools/schema";
import { buildASTSchema, parse, printSchema, visit } from "graphql";
import { crossingFields, withNullable } from "../../gateway/graph/crossing.ts";
import { formatted } from "../../kit/formatted.ts";

const SCHEMAS = new URL("../../schema/", import.meta.url);
export const TYPES = new URL("schema.ts", import.meta.url);
const HEADER = "// Generated from schema/ by `deno task client:types`; a test fails where it is stale.\n\n";

/** The text of schema.ts, as it is formatted. */
export async function generateTypes(): Promise<string> {
  const names = Array.from(Deno.readDirSync(SCHEMAS), ({ name }) => name).sort();
  const parts = names.map((name) => ({
    service: name,
    schema: publicSchema(Deno.readTextFileSync(new URL(name, SCHEMAS))),
  }));
  const crossing = crossingFields(parts);
  const schema = mergeSchemas({
    schemas: parts.map(({ service, schema }) =>
      withNullable(schema, crossing.filter((field) => field.service === service))
    ),
  });
  const text = await codegen({
    schema: parse(printSchema(schema)),
    documents: [],
    filename: "schema.ts",
    config: {
      enumsAsTypes: true,
      skipTypename: true,
      immutableTypes: true,
      avoidOptionals: { field: true },
      strictScalars: true,
      scalars: { DateTime: "string", ID: "string" },
    },
    plugins: [{ typescript: {} }],
    pluginMap: { typescript },
  });
  return await formatted(HEADER + text, "ts");
}

/** Without what services say to the gateway alone. */
function publicSchema(sdl: string) {
  return buildASTSchema(
    visit(parse(sdl), {
      Directive: () => null,
      FieldDefinition: ({ name }) => name.value.startsWith("_") ? null : undefined,
    }),
  );
}

if (import.meta.main) {
  const text = await generateTypes();
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(TYPES, text);
  else if (text !== await Deno.readTextFile(TYPES)) {
    console.error("client/lib/schema.ts is stale: deno task client:types");
    Deno.exit(1);
  }
}
