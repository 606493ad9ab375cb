/** The gateway's `/graphql` over HTTP: queries and mutations by GraphQL over HTTP, subscriptions by server-sent events, GraphiQL for browsers. */

import { getOperationAST, type GraphQLError, type GraphQLFormattedError } from "graphql";
import type { RequestParams } from "graphql-http";
import { cors } from "hono/cors";
import { type ErrorCode, STATUS_OF_CODE, UserError } from "../kit/errors.ts";
import { serveGraphiQL } from "../kit/graphiql.ts";
import { type Answer, createGraphQLHandler, type DocumentCache, maskError, requestParams } from "../kit/graphql.ts";
import { type App, readText, type RequestContext, statusOf } from "../kit/http.ts";
import { type Logger, withContext } from "../kit/log.ts";
import { HOUR, SECOND } from "../kit/time.ts";
import { beginTrace, type Span } from "../kit/tracing/mod.ts";
import { Caller } from "./caller.ts";
import { resultText } from "./delivery/executed.ts";
import type { Connections } from "./delivery/connections.ts";
import type { Running, Sink, SubscriptionRequest, Subscriptions } from "./delivery/operation.ts";
import { eventStream } from "./delivery/server_sent_events.ts";
import { addressOf } from "./guards/address.ts";
import type { Guards } from "./guards/guards.ts";
import type { Lifetime } from "./guards/lifetime.ts";
import type { ShortWay } from "../kit/listen.ts";
import type { Origins } from "../kit/origins.ts";
import { endRequest, nameOperation } from "./request_span.ts";
import { bearerToken, endedSession, type Sessions } from "./sessions.ts";
import { shortWay } from "./short_way.ts";

export interface GraphQLRouteOptions {
  readonly documents: () => DocumentCache;
  readonly subscriptions: Subscriptions;
  readonly sessions: Sessions;
  readonly origins: Origins;
  readonly guards: Guards;
  readonly connections: Connections;
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/** Adds the route; the answer is the short way to it. */
export function serveGraphQL(app: App, options: GraphQLRouteOptions): ShortWay {
  const { documents, sessions, origins, guards, log } = options;
  const handle = createGraphQLHandler<Caller>({
    async check(params, caller) {
      const checked = await guards.check(documents(), params, caller);
      if ("document" in checked) nameOperation(caller.span, checked.document, params.operationName);
      return checked;
    },
    context: (caller) => caller,
    log,
  });

  // Without it an allowed page could ask, but its browser wouldn't let it read the answer.
  const forPages = cors({
    origin: (origin, c) => origins.isAllowed(origin, c.req.header("host")) ? origin : null,
    allowMethods: ["GET", "POST"],
    allowHeaders: ["authorization", "content-type", "last-event-id"],
    exposeHeaders: ["retry-after"],
    maxAge: HOUR / SECOND,
  });
  app.use("/graphql", (c, next) => c.req.header("origin") === undefined ? next() : forPages(c, next));

  serveGraphiQL(app, { title: "Notifyx", signIn: true });
  const answer = async (c: RequestContext, span: Span | undefined): Promise<Response> => {
    const accept = c.req.header("accept") ?? "*/*";
    try {
      origins.check(c.req.header("origin"), c.req.header("host"));
      const address = addressOf(c.env.incoming!, guards.proxies);
      guards.admit(address, bodyBytes(c));
      const token = bearerToken(c.req.header("authorization"));
      const caller = new Caller(sessions, token, c.get("requestId"), address, undefined, span);
      // Checked before the document is looked at: what a stranger's document costs is theirs to pay.
      await caller.session();
      let text: Promise<string> | undefined;
      const body = () => text ??= readText(c, guards.bodyBytes);
      if (accept.includes("text/event-stream")) {
        const streamed = await stream(c, body, caller, options, accept.trim() === "text/event-stream");
        if (streamed !== undefined) return streamed;
      }
      const [answer, { status, headers }] = await handle({
        method: c.req.method,
        url: c.req.url,
        header: (name) =>
          name === "accept" ? accept.replace(/,?\s*text\/event-stream[^,]*/, "") || "*/*" : c.req.header(name),
        body,
        call: caller.during(lifetimeOf(c, guards)),
      });
      return new Response(answer, { status, headers });
    } catch (error) {
      // Whoever speaks GraphQL gets errors in GraphQL's form also where the request itself is refused, or fails.
      const masked = maskError(error as Error, log);
      const retryAfter = masked.extensions.retryAfterSeconds;
      if (typeof retryAfter === "number") c.header("retry-after", String(retryAfter));
      // Of chunks whose end was not read nobody knows where the next request begins.
      if (!c.env.incoming!.complete && c.req.header("transfer-encoding")) c.header("connection", "close");
      const status = error instanceof UserError ? statusOf(error) : STATUS_OF_CODE[masked.extensions.code as ErrorCode];
      return c.json({ errors: [masked] }, status);
    }
  };
  app.on(["GET", "POST"], "/graphql", async (c) => {
    const span = beginTrace(`${c.req.method} /graphql`, c.req.header("traceparent"));
    if (span === undefined) return await answer(c, undefined);
    return await withContext({ traceId: span.traceId }, async () => {
      let status = 500;
      try {
        const response = await answer(c, span);
        status = response.status;
        return response;
      } finally {
        endRequest(span, status);
      }
    });
  });
  return shortWay(documents, handle, sessions, guards, log);
}

/** As its sender says; undefined where they don't. */
function bodyBytes(c: RequestContext): number | undefined {
  if (c.req.method === "GET") return 0;
  const length = c.req.header("transfer-encoding") === undefined ? c.req.header("content-length") : undefined;
  return length === undefined ? undefined : Number(length);
}

/** Of an operation that has one answer: as long as its client waits for it. */
function lifetimeOf(c: RequestContext, guards: Guards): Lifetime {
  const lifetime = guards.lifetime();
  c.env.outgoing!.once("close", () => lifetime.leave());
  return lifetime;
}

/** The operation as an event stream, if that is what its caller has to be answered with. */
async function stream(
  c: RequestContext,
  body: () => Promise<string>,
  caller: Caller,
  { documents, subscriptions, connections, guards, stopping, log }: GraphQLRouteOptions,
  onlyEvents: boolean,
): Promise<Response | undefined> {
  const request = {
    method: c.req.method,
    url: c.req.url,
    headers: { get: (name: string) => c.req.header(name) },
    body,
  };
  let params: RequestParams;
  try {
    const parsed = await requestParams(request as never);
    if (Array.isArray(parsed)) return undefined;
    params = parsed as RequestParams;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return undefined;
  }
  const checked = guards.look(documents(), params, caller.address);
  const refused = (errors: readonly GraphQLError[]) =>
    c.json({ errors: errors.map((error) => maskError(error, log)) }, 400);
  if ("errors" in checked) return onlyEvents ? refused(checked.errors) : undefined;
  const operation = getOperationAST(checked.document, params.operationName)?.operation;
  if (operation === undefined) {
    return onlyEvents
      ? refused([new UserError("BAD_USER_INPUT", "operationName has to name one of the document's operations")])
      : undefined;
  }
  if (operation !== "subscription" && !onlyEvents) return undefined;
  if (operation === "mutation" && c.req.method === "GET") return undefined;
  nameOperation(caller.span, checked.document, params.operationName);
  const { userId } = await caller.session();
  await guards.count(checked, params, caller.address, userId);
  const { operationName, variables } = params;
  const { outboxes } = connections;
  const cutOff = () => c.env.incoming?.socket.destroy();
  if (operation !== "subscription") {
    const asking = caller.during(lifetimeOf(c, guards));
    return eventStream({
      stopping,
      outboxes,
      cutOff,
      start: (sink) => giveOnce(() => checked.execute(params, asking), sink, log),
    });
  }
  const lastEventId = c.req.header("last-event-id") || undefined;
  const asked: SubscriptionRequest = { ...checked, operationName, variables, caller, lastEventId };
  const onEnd = connections.takeBoth(caller.address, userId);
  const watch = (onEnded: (errors: readonly GraphQLFormattedError[]) => void) =>
    caller.watch(() => onEnded([maskError(endedSession(), log).toJSON()]));
  return eventStream({ stopping, outboxes, cutOff, start: (sink) => subscriptions.start(asked, sink), watch, onEnd });
}

/** A query or a mutation comes to its end in a moment, whatever becomes of its session: it may be the logout, whose caller wants its answer. */
async function giveOnce(execute: () => Promise<Answer> | Answer, sink: Sink, log: Logger): Promise<Running> {
  sink.next(new TextEncoder().encode(resultText(await execute(), log)));
  sink.complete();
  return { stop() {} };
}
