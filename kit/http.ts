/**
 * The HTTP face that every process has: request ids, limits, one-line errors with a code, health, metrics and status page.
 * Routes are Hono's; what is wrong is thrown as a UserError and becomes `{"error": "one line", "code": "…"}`.
 */

import { type Context, Hono } from "hono";
import type { IncomingMessage, ServerResponse } from "node:http";
import { matchedRoutes } from "hono/route";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import * as v from "valibot";
import { isConnectionError } from "./database_errors.ts";
import { countDatabaseError } from "./database_metrics.ts";
import { STATUS_OF_CODE, UserError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { Dashboard } from "./dashboard/dashboard.ts";
import { serveDashboard } from "./dashboard/routes.ts";
import { type Logger, withContext } from "./log.ts";
import { httpDuration, httpInFlight, registry } from "./metrics.ts";
import { OPEN_METRICS, openMetrics, takesOpenMetrics } from "./metrics/open_metrics.ts";
import { isOwnHost, type OwnHosts } from "./own_hosts.ts";
import { type ReadyChecks, waitingFor } from "./ready.ts";
import { sameSecret } from "./secret.ts";
import { SECOND, TimeLimitError, withTimeLimit } from "./time.ts";
import type { StatusPage } from "./status_page.ts";

/** The largest body that is read, in bytes; 413 beyond. */
export const BODY_LIMIT_BYTES = 1024 * 1024;
/** Up to so many times as much is read and not kept: a connection with bytes that nobody reads is reset, and the answer lost. */
const READ_OVER = 8;
/** How long a body may take to arrive, in milliseconds; 408 then. */
const BODY_LIMIT_MS = 10 * SECOND;

export interface Env {
  Variables: { requestId: string; ownHosts: OwnHosts };
  /** Deno.serve's `info`, or `{ incoming, outgoing }` of @hono/node-server. */
  Bindings: { remoteAddr?: { hostname?: string }; incoming?: IncomingMessage; outgoing?: ServerResponse };
}
export type App = Hono<Env>;
export type RequestContext = Context<Env>;

export interface AppOptions {
  readonly service: string;
  readonly secret: string;
  readonly log: Logger;
  /** What has to hold for `GET /health/ready`. */
  readonly readyChecks: ReadyChecks;
  readonly statusPage: StatusPage;
  /** What the status page shows besides those tables; by default it has no figures. */
  readonly dashboard?: Dashboard;
  /** Names by which people on this machine may open its pages, besides loopback's; none by default. */
  readonly ownHosts?: OwnHosts;
}

export function createApp(options: AppOptions): App {
  const { service, log, readyChecks, statusPage, ownHosts = new Set() } = options;
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    const requestId = requestIdOf(c.req.header("x-request-id"));
    c.set("requestId", requestId);
    c.set("ownHosts", ownHosts);
    const stop = httpDuration.startTimer();
    httpInFlight.inc();
    await withContext({ requestId }, next);
    httpInFlight.dec();
    const status = c.error instanceof UserError ? statusOf(c.error) : c.res.status;
    stop({ method: knownMethod(c.req.method), route: routeLabel(c, status), status: `${status}` });
  });
  app.onError((error, c) => {
    if (error instanceof UserError) {
      const { retryAfterSeconds } = error.extensions;
      if (typeof retryAfterSeconds === "number") c.header("retry-after", `${Math.ceil(retryAfterSeconds)}`);
      return fault(c, statusOf(error), error.code, error.message, error.extensions);
    }
    countDatabaseError(error);
    if (isConnectionError(error)) {
      log.warning("a request lost its database: {error}", { error, path: c.req.path });
      return fault(c, 503, "SERVICE_UNAVAILABLE", "a service is away just now");
    }
    log.error("a request failed: {error}", { error, path: c.req.path });
    return fault(c, 500, "INTERNAL", "internal error");
  });
  app.notFound((c) => {
    const allowed = new Set(app.routes.filter((route) => matches(route.path, c.req.path)).map((route) => route.method));
    allowed.delete("ALL");
    if (allowed.size === 0) return fault(c, 404, "NOT_FOUND", "no such route");
    c.header("allow", [...allowed].join(", "));
    return fault(c, 405, "BAD_USER_INPUT", `this route takes ${[...allowed].join(" or ")}`);
  });

  app.get("/health/live", (c) => c.json({ status: "live", service }));
  app.get("/health/ready", async (c) => {
    const waiting = await waitingFor(readyChecks);
    return waiting.length === 0
      ? c.json({ status: "ready" })
      : c.json({ status: "not ready", waitingFor: waiting }, 503);
  });
  app.get("/metrics", async (c) => {
    allowLocalOrMember(c, options.secret);
    return takesOpenMetrics(c.req.header("accept"))
      ? c.text(await openMetrics(registry), 200, { "content-type": OPEN_METRICS })
      : c.text(await registry.metrics(), 200, { "content-type": registry.contentType });
  });
  const dashboard = options.dashboard ?? new Dashboard({ service, id: service, readyChecks, sections: statusPage });
  serveDashboard(app, dashboard, (c) => allowLocalOrMember(c, options.secret));
  return app;
}

/** Only members of the cluster go on: `Authorization: Bearer $NOTIFYX_CLUSTER_SECRET`. @throws UserError `UNAUTHENTICATED` */
export function allowMember(c: RequestContext, secret: string): void {
  const header = c.req.header("authorization");
  if (header?.startsWith("Bearer ") && sameSecret(header.slice(7), secret)) return;
  throw new UserError("UNAUTHENTICATED", "this route is for members of the cluster: it takes the cluster's secret");
}

const BY_ANOTHER_NAME =
  "from this machine it opens as localhost, by a loopback address, or by the name in NOTIFYX_PUBLIC_URL, NOTIFYX_URL or NOTIFYX_HOST";

/**
 * Open from loopback, for members of the cluster from elsewhere. What a proxy on this machine passes on is not from here.
 * @throws UserError `UNAUTHENTICATED`; `FORBIDDEN` where a name that isn't this machine's was led here
 */
export function allowLocalOrMember(c: RequestContext, secret: string): void {
  const address = remoteAddress(c);
  const local = /^(127\.|::1$|::ffff:127\.)/.test(address) &&
    c.req.header("x-forwarded-for") === undefined && c.req.header("forwarded") === undefined;
  if (local && isOwnHost(new URL(c.req.url).hostname, c.get("ownHosts"))) return;
  if (local && c.req.header("authorization") === undefined) throw new UserError("FORBIDDEN", BY_ANOTHER_NAME);
  allowMember(c, secret);
}

export function remoteAddress(c: RequestContext): string {
  return c.env?.remoteAddr?.hostname ?? c.env?.incoming?.socket?.remoteAddress ?? "";
}

/** What is wrong with a body for itself, with the status that HTTP has for it. */
class BodyError extends UserError {
  constructor(readonly status: 408 | 413, code: ErrorCode, message: string) {
    super(code, message);
  }
}

/**
 * The body as text. @throws UserError `BAD_USER_INPUT` where it is not UTF-8 or, with 413, over `mostBytes`;
 * `TIMEOUT`, with 408, where it doesn't come; `SERVICE_UNAVAILABLE` where it breaks off
 */
export async function readText(c: RequestContext, mostBytes = BODY_LIMIT_BYTES): Promise<string> {
  let bytes: BufferSource;
  try {
    bytes = await withTimeLimit("the body", BODY_LIMIT_MS, readBytes(c, mostBytes));
  } catch (error) {
    if (error instanceof TimeLimitError) throw new BodyError(408, "TIMEOUT", "the body took too long to arrive");
    if (error instanceof UserError) throw error;
    // The caller hung up, or this process is stopping, which ends what is still arriving.
    throw new UserError("SERVICE_UNAVAILABLE", "the body could not be read", {}, error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError("BAD_USER_INPUT", "the body is not UTF-8");
  }
}

// Not Hono's bodyLimit: it reads `request.signal`, which halves Deno.serve, and waits for a chunked body without a limit of time.
async function readBytes(c: RequestContext, mostBytes: number): Promise<BufferSource> {
  const tooLarge = () => new BodyError(413, "BAD_USER_INPUT", `the body is over ${mostBytes} bytes`);
  const length = c.req.header("content-length");
  if (length !== undefined && c.req.header("transfer-encoding") === undefined) {
    if (Number(length) > mostBytes) throw tooLarge();
    return await c.req.arrayBuffer();
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > READ_OVER * mostBytes) throw tooLarge();
    if (size <= mostBytes) chunks.push(chunk);
  }
  if (size > mostBytes) throw tooLarge();
  return await new Blob(chunks).arrayBuffer();
}

/** The body as JSON of the given shape; members that the shape doesn't name are ignored. @throws UserError `BAD_USER_INPUT` */
export async function readJson<T extends v.GenericSchema>(c: RequestContext, shape: T): Promise<v.InferOutput<T>> {
  const text = await readText(c);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError("BAD_USER_INPUT", "the body is not JSON");
  }
  const result = v.safeParse(shape, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const where = v.getDotPath(issue);
  throw new UserError("BAD_USER_INPUT", where ? `${where}: ${issue.message}` : issue.message);
}

/** An answer that says what is wrong, in one line and with a code. */
export function fault(
  c: RequestContext,
  status: ContentfulStatusCode,
  code: ErrorCode,
  error: string,
  extra: Record<string, unknown> = {},
): Response {
  return c.json({ ...extra, error, code }, status);
}

/** The status of an answer that is this error: that of its code, but where HTTP has one of its own. */
export function statusOf(error: UserError): ContentfulStatusCode {
  return error instanceof BodyError ? error.status : STATUS_OF_CODE[error.code];
}

/** The id that the caller gave its request, where it is one, else a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : crypto.randomUUID();
}

/**
 * A bounded label: a path that no route has would make a new series for each. What is for every path (a client's pages, and what stands
 * before all routes) matches beside the route that answers.
 */
function routeLabel(c: RequestContext, status: number): string {
  const named = matchedRoutes(c).map(({ path }) => path).filter((path) => path !== "*" && path !== "/*").at(-1);
  return named ?? (status === 404 ? "unmatched" : "/*");
}

function knownMethod(method: string): string {
  return /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH)$/.test(method) ? method : "other";
}

function matches(route: string, path: string): boolean {
  if (route === "*" || route === "/*") return false;
  const wanted = route.split("/");
  const given = path.split("/");
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at]);
}
