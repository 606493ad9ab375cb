/**
 * What the gateway passes on to a service for browsers that have no session: pictures, and the pages behind links in mails. In: a request
 * under one of ROUTES. Out: the service's answer, its status, its bytes and those of its headers that are in PASSED_BACK.
 *
 * The routes behind it are open to anyone: what they show or change is theirs to protect, by what stands in the address. There is no
 * check of the origin for that reason; a page without a referrer says `Origin: null` of its own forms.
 */

import { Buffer } from "node:buffer";
import { UserError } from "../kit/errors.ts";
import { type App, fault, readText, type RequestContext } from "../kit/http.ts";
import { SECOND } from "../kit/time.ts";
import { type Balancer, isAway } from "./balancer.ts";
import { addressOf } from "./guards/address.ts";
import type { Guards } from "./guards/guards.ts";
import { type HttpHeaders, requestBytes } from "./http_client.ts";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** By the first part of the path: which service has it. */
const ROUTES = { avatars: "avatar", unsubscribe: "notifications", account: "auth" } as const;
const METHODS = ["GET", "HEAD", "POST"];

/** The largest body that is passed on, in bytes, and the largest answer. */
const BODY_LIMIT_BYTES = 16 * 1024;
const ANSWER_LIMIT_BYTES = 1024 * 1024;
/** How long a service may take, in milliseconds; 504 then. */
const CALL_LIMIT_MS = 5 * SECOND;
/** How many requests to one service wait at a time; 503 beyond, at once: pictures that come too late would look like a sick service. */
const MOST_AT_ONCE = 128;
/** What is away is asked again after so long, in seconds. */
const RETRY_AFTER_SECONDS = 2;

const PASSED_ON = ["content-type", "if-none-match", "accept"];
const PASSED_BACK = [
  "content-type",
  "content-length",
  "etag",
  "cache-control",
  "retry-after",
  "location",
  "allow",
  "content-security-policy",
  "x-content-type-options",
  "x-frame-options",
  "referrer-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
];

export interface PublicRoutesOptions {
  readonly balancer: Balancer;
  readonly guards: Guards;
}

export function servePublicRoutes(app: App, options: PublicRoutesOptions): void {
  for (const [prefix, service] of Object.entries(ROUTES)) {
    let waiting = 0;
    app.all(`/${prefix}/*`, async (c) => {
      if (!METHODS.includes(c.req.method)) {
        c.header("allow", METHODS.join(", "));
        return fault(c, 405, "BAD_USER_INPUT", `this route takes ${METHODS.join(" or ")}`);
      }
      if (waiting >= MOST_AT_ONCE) {
        c.header("retry-after", String(RETRY_AFTER_SECONDS));
        return fault(c, 503, "TOO_MANY_REQUESTS", `too much is asked of ${service} just now`);
      }
      waiting++;
      try {
        return await pass(c, prefix, service, options);
      } finally {
        waiting--;
      }
    });
  }
}

async function pass(
  c: RequestContext,
  prefix: string,
  service: string,
  { balancer, guards }: PublicRoutesOptions,
): Promise<Response> {
  const address = addressOf(c.env.incoming!, guards.proxies);
  guards.admit(address, c.req.method === "POST" ? Number(c.req.header("content-length") ?? BODY_LIMIT_BYTES) : 0);
  const path = pathUnder(prefix, c.req.url);
  if (path === undefined) throw new UserError("NOT_FOUND", "no such route");
  const method = c.req.method as "GET" | "HEAD" | "POST";
  const mayRepeat = method !== "POST";
  const body = mayRepeat ? undefined : await readBody(c);
  const headers: Record<string, string> = {
    "x-request-id": c.get("requestId"),
    // It also tells a service on this machine that the request isn't from here.
    "x-forwarded-for": address,
  };
  for (const name of PASSED_ON) {
    const value = c.req.header(name);
    if (value !== undefined) headers[name] = value;
  }
  // A form is done, whoever still waits for its answer.
  const lifetime = mayRepeat ? guards.lifetime() : undefined;
  if (lifetime !== undefined) c.env.outgoing!.once("close", () => lifetime.leave());
  try {
    const answer = await balancer.ask(
      service,
      CALL_LIMIT_MS,
      async ({ url }, limitMs) => {
        const asked = { method, headers, body, limitMs, mostBytes: ANSWER_LIMIT_BYTES, lifetime };
        const given = await requestBytes(url + path, asked);
        if (isSick(given.status, given.headers)) {
          throw new UserError("SERVICE_UNAVAILABLE", `the service ${service} could not answer`);
        }
        return given;
      },
      mayRepeat,
    );
    return answerOf(answer, method);
  } catch (error) {
    if (!isAway(error)) throw error;
    throw new UserError(error.code, error.message, { retryAfterSeconds: RETRY_AFTER_SECONDS }, error);
  }
}

/** The path and the query, as URLs have them once `..` is resolved, if that is still under the prefix. */
function pathUnder(prefix: string, url: string): string | undefined {
  const { pathname, search } = new URL(url);
  return pathname.startsWith(`/${prefix}/`) ? pathname + search : undefined;
}

async function readBody(c: RequestContext): Promise<string> {
  try {
    return await readText(c, BODY_LIMIT_BYTES);
  } catch (error) {
    // Of what was not read nobody knows where the next request begins.
    if (!c.env.incoming!.complete) c.header("connection", "close");
    throw error;
  }
}

/** One that says when to come back is well, and only busy, or waits for another service. */
function isSick(status: number, headers: HttpHeaders): boolean {
  return status >= 500 && headers["retry-after"] === undefined;
}

function answerOf(
  { status, headers, body }: { status: number; headers: HttpHeaders; body: Buffer },
  method: string,
): Response {
  const passed = new Headers();
  for (const name of PASSED_BACK) {
    const value = headers[name];
    if (typeof value === "string") passed.set(name, value);
  }
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  return new Response(isEmpty ? null : body as Uint8Array<ArrayBuffer>, {
    status: status as ContentfulStatusCode,
    headers: passed,
  });
}
