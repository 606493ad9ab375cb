/**
 * What one service's GraphQL types are. In: a running instance. Out: its types, by `{ _sdl }` or, where there is none, by introspection;
 * also those that are no valid schema, with what is wrong with them (composition.ts refuses these).
 */

import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  GraphQLSchema,
  type IntrospectionQuery,
  validateSchema,
} from "graphql";
import { call } from "../../kit/call.ts";
import { type Instance, reason } from "../../kit/directory.ts";
import { SECOND } from "../../kit/time.ts";

/** One version of a service's types. */
export interface SubgraphTypes {
  readonly service: string;
  /** As the service gives them, with their stitching directives, or as JSON where they were introspected; what names this version. */
  readonly sdl: string;
  readonly schema: GraphQLSchema;
  /** Why it is no valid schema, in one line. */
  readonly fault?: string;
}

/** How long a subgraph may take to give its types, in milliseconds. */
const LIMIT_MS = 3 * SECOND;
/** The most characters of one service's types. */
const MOST_CHARACTERS = 2_000_000;
const NOTHING = new GraphQLSchema({});

/** @throws Error where it doesn't answer, or with neither of both; to be asked again */
export async function fetchTypes({ service, url }: Instance, secret: string): Promise<SubgraphTypes> {
  const ask = async (query: string) => {
    const { body } = await call(`${url}/graphql`, { body: { query }, secret, limitMs: LIMIT_MS });
    return (body as { data?: Record<string, unknown> } | null)?.data;
  };
  const sdl = (await ask("{ _sdl }"))?._sdl;
  if (typeof sdl === "string") return typesOf(service, sdl);
  const introspected = await ask(getIntrospectionQuery());
  if (introspected === undefined) throw new Error("it answers neither _sdl nor introspection");
  return typesOf(service, JSON.stringify(introspected));
}

/** The types of which `sdl` is the text, or the introspection as JSON. */
export function typesOf(service: string, sdl: string): SubgraphTypes {
  return checked(
    service,
    sdl,
    () =>
      sdl.startsWith("{")
        ? buildClientSchema(JSON.parse(sdl) as IntrospectionQuery)
        : buildSchema(sdl, { assumeValidSDL: true }),
  );
}

export function checked(service: string, sdl: string, build: () => GraphQLSchema): SubgraphTypes {
  if (sdl.length > MOST_CHARACTERS) {
    return {
      service,
      sdl: sdl.slice(0, 100),
      schema: NOTHING,
      fault: `its types are over ${MOST_CHARACTERS} characters`,
    };
  }
  try {
    const schema = build();
    const [error] = validateSchema(schema);
    return { service, sdl, schema, ...error && { fault: oneLine(error.message) } };
  } catch (error) {
    return { service, sdl, schema: NOTHING, fault: oneLine(reason(error)) };
  }
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}
