/** A service's own GraphQL: its schema from `schema/<service>.graphql`, served to the gateway and, with an identity, to people. */

import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import type { IResolvers } from "@graphql-tools/utils";
import { type ExecutionArgs, getOperationAST, GraphQLScalarType, type GraphQLSchema, isObjectType } from "graphql";
import { checkDeadline, DEADLINE_HEADER, deadlineOf } from "./deadline.ts";
import { UserError } from "./errors.ts";
import { createGraphQLHandler, DocumentCache, executionArgs, type OperationParams } from "./graphql.ts";
import { type App, readText, type RequestContext } from "./http.ts";
import { type Identity, IDENTITY_HEADER, type IdentityVerifier, type Viewer } from "./identity.ts";
import type { Logger } from "./log.ts";
import { sameSecret } from "./secret.ts";
import { inTrace, joinTrace, type Span } from "./tracing/mod.ts";
import { SubgraphEvents } from "./subgraph_events.ts";

/** What resolvers get: who asks, and what lasts for this request alone. */
export interface SubgraphContext {
  readonly viewer: Identity;
  readonly requestId: string;
  /** Until when the caller waits, in milliseconds since 1970; Infinity where it didn't say. */
  readonly deadline: number;
  /** Where the request is traced. */
  readonly span?: Span;
}

/** What one request has for itself, such as loaders: made when it first wants it, gone with it. */
export function perRequest<T>(make: (context: SubgraphContext) => T): (context: SubgraphContext) => T {
  const made = new WeakMap<SubgraphContext, T>();
  return (context) => {
    let found = made.get(context);
    if (found === undefined) made.set(context, found = make(context));
    return found;
  };
}

export interface SubgraphOptions {
  /** The text of `schema/<service>.graphql`. */
  readonly sdl: string;
  // deno-lint-ignore no-explicit-any -- graphql-tools' own type for a map of resolvers of any types
  readonly resolvers: IResolvers<any, SubgraphContext>;
  readonly identities: IdentityVerifier;
  readonly secret: string;
  /** Ends its subscriptions when it aborts. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/** What every signed-in viewer may be given alike, for so many seconds (gateway/graph/row_cache.ts); nothing else is shared. */
const CACHE_CONTROL = "directive @cacheControl(maxAge: Int!) on FIELD_DEFINITION | OBJECT";

/**
 * Adds `/graphql` to `app`; the answer is the hash of its types. A call without an identity gets 401, but for members of the cluster, who
 * are anonymous then.
 */
export function serveSubgraph(app: App, options: SubgraphOptions): Promise<string> {
  const { sdl, resolvers, identities, secret, stopping, log } = options;
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
  const events = new SubgraphEvents(stopping, log);

  const answer = async (c: RequestContext, call: SubgraphContext): Promise<Response> => {
    const request = { method: c.req.method, url: c.req.url, header: (name: string) => c.req.header(name), call };
    let read = () => readText(c);
    if (c.req.header("accept")?.includes("text/event-stream") && c.req.method === "POST") {
      const text = await readText(c);
      const args = subscriptionIn(documents, text, { ...call, deadline: Infinity, span: undefined });
      if (args !== undefined) return await events.serve(args);
      read = () => Promise.resolve(text);
    }
    const [body, { status, headers }] = await handle({ ...request, body: read });
    call.span?.set("http.response.status_code", status);
    return new Response(body, { status, headers });
  };

  app.on(["GET", "POST"], "/graphql", async (c) => {
    const deadline = deadlineOf(c.req.header(DEADLINE_HEADER));
    checkDeadline(deadline);
    const bearer = c.req.header("authorization");
    const identity = c.req.header(IDENTITY_HEADER);
    const isMember = identity === undefined && bearer?.startsWith("Bearer ") && sameSecret(bearer.slice(7), secret);
    const viewer = isMember ? null : await identities.verify(identity);
    // Only now: a trace is joined for members, and for whom they ask.
    const joined = joinTrace("POST /graphql", "server", c.req.header("traceparent"));
    return await inTrace(joined, (span) => answer(c, { viewer, requestId: c.get("requestId"), deadline, span }));
  });
  return hashOf(fullSdl);
}

/** How to execute what a body asks for, where that is a subscription; what is wrong with others is told by the handler of queries. */
function subscriptionIn(documents: DocumentCache, text: string, context: SubgraphContext): ExecutionArgs | undefined {
  const params = paramsOf(text);
  const checked = params && documents.check(params.query);
  if (params === undefined || checked === undefined || "errors" in checked) return undefined;
  if (getOperationAST(checked.document, params.operationName)?.operation !== "subscription") return undefined;
  return executionArgs(checked, params, context);
}

function paramsOf(text: string): (OperationParams & { readonly query: string }) | undefined {
  try {
    const { query, operationName, variables } = JSON.parse(text);
    return typeof query === "string" ? { query, operationName, variables } : undefined;
  } catch {
    return undefined;
  }
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
