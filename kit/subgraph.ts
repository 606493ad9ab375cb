/** A service's own GraphQL: its schema from `schema/<service>.graphql`, served to the gateway and, with an identity, to people. */

import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import type { IResolvers } from "@graphql-tools/utils";
import { GraphQLScalarType, type GraphQLSchema, isObjectType } from "graphql";
import { checkDeadline, DEADLINE_HEADER, deadlineOf } from "./deadline.ts";
import { UserError } from "./errors.ts";
import { createGraphQLHandler, DocumentCache } from "./graphql.ts";
import { type App, readText } from "./http.ts";
import { type Identity, IDENTITY_HEADER, type IdentityVerifier, type Viewer } from "./identity.ts";
import type { Logger } from "./log.ts";
import { sameSecret } from "./secret.ts";

/** What resolvers get: who asks, and what lasts for this request alone. */
export interface SubgraphContext {
  readonly viewer: Identity;
  readonly requestId: string;
  /** Until when the caller waits, in milliseconds since 1970; Infinity where it didn't say. */
  readonly deadline: number;
}

export interface SubgraphOptions {
  /** The text of `schema/<service>.graphql`. */
  readonly sdl: string;
  // deno-lint-ignore no-explicit-any -- graphql-tools' own type for a map of resolvers of any types
  readonly resolvers: IResolvers<any, SubgraphContext>;
  readonly identities: IdentityVerifier;
  readonly secret: string;
  readonly log: Logger;
}

/** What every signed-in viewer may be given alike, for so many seconds (gateway/graph/row_cache.ts); nothing else is shared. */
const CACHE_CONTROL = "directive @cacheControl(maxAge: Int!) on FIELD_DEFINITION | OBJECT";

/**
 * Adds `/graphql` to `app`; the answer is the hash of its types. A call without an identity gets 401, but for members of the cluster, who
 * are anonymous then.
 */
export function serveSubgraph(app: App, { sdl, resolvers, identities, secret, log }: SubgraphOptions): Promise<string> {
  const { allStitchingDirectivesTypeDefs } = stitchingDirectives();
  const fullSdl = `${allStitchingDirectivesTypeDefs}\n${CACHE_CONTROL}\n${sdl}`;
  const schema = makeExecutableSchema<SubgraphContext>({
    typeDefs: fullSdl,
    resolvers: [{ DateTime: dateTime, Query: { _sdl: () => fullSdl } }, resolvers],
    resolverValidationOptions: { requireResolversToMatchSchema: "ignore" },
  });
  stopAtDeadline(schema);
  const documents = new DocumentCache(schema);
  const handle = createGraphQLHandler<SubgraphContext>({
    check: ({ query }) => documents.check(query),
    context: (call) => call,
    log,
  });

  app.on(["GET", "POST"], "/graphql", async (c) => {
    const deadline = deadlineOf(c.req.header(DEADLINE_HEADER));
    checkDeadline(deadline);
    const bearer = c.req.header("authorization");
    const identity = c.req.header(IDENTITY_HEADER);
    const isMember = identity === undefined && bearer?.startsWith("Bearer ") && sameSecret(bearer.slice(7), secret);
    const viewer = isMember ? null : await identities.verify(identity);
    const [body, { status, headers }] = await handle({
      method: c.req.method,
      url: c.req.url,
      header: (name) => c.req.header(name),
      body: () => readText(c),
      call: { viewer, requestId: c.get("requestId"), deadline },
    });
    return new Response(body, { status, headers });
  });
  return hashOf(fullSdl);
}

/** No resolver of ours, and so no statement of it, begins once nobody waits for it any more. */
function stopAtDeadline(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith("__")) continue;
    for (const field of Object.values(type.getFields())) {
      const { resolve } = field;
      if (resolve === undefined) continue;
      field.resolve = (source, args, context: SubgraphContext, info) => {
        if (context.deadline !== Infinity) checkDeadline(context.deadline);
        return resolve(source, args, context, info);
      };
    }
  }
}

async function hashOf(text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toHex();
}

/** The signed-in caller. @throws UserError `UNAUTHENTICATED` for an anonymous one. */
export function requireViewer(context: SubgraphContext): Viewer {
  if (context.viewer === null) throw new UserError("UNAUTHENTICATED", "sign in first: this needs a session's token");
  return context.viewer;
}

const dateTime = new GraphQLScalarType<unknown, string>({
  name: "DateTime",
  serialize: (value) => value instanceof Date ? value.toISOString() : String(value),
});
