/**
 * The way to a gateway for what the app asks over HTTP: `/graphql`, event streams too, and `/avatars`. In: a request with our cookie.
 * Out: the same with the session's token in `authorization`; the answer as it comes.
 */

import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { type App, readText, remoteAddress, type RequestContext } from "../../kit/http.ts";
import type { Origins } from "../../kit/origins.ts";
import type { Gateways } from "./gateways.ts";
import type { SessionCookie } from "./session_cookie.ts";
import type { ContentfulStatusCode } from "hono/utils/http-status";

const PASSED_ON = ["accept", "content-type", "if-none-match", "last-event-id", "traceparent"];
const PASSED_BACK = ["content-type", "etag", "cache-control", "retry-after", "allow", "x-content-type-options"];

export interface ProxyOptions {
  readonly gateways: Gateways;
  readonly cookie: SessionCookie;
  readonly origins: Origins;
}

export function serveProxy(app: App, options: ProxyOptions): void {
  app.on(["GET", "POST"], "/graphql", (c) => pass(c, options, options.cookie.token(c.req.header("cookie"))));
  app.get("/avatars/*", (c) => pass(c, options));
}

async function pass(c: RequestContext, { gateways, origins }: ProxyOptions, token?: string): Promise<Response> {
  origins.check(c.req.header("origin"), c.req.header("host"));
  const headers: Record<string, string> = {
    ...gateways.forwarded(remoteAddress(c), c.req.header("x-forwarded-for")),
    "x-request-id": c.get("requestId"),
    ...token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
  for (const name of PASSED_ON) {
    const value = c.req.header(name);
    if (value !== undefined) headers[name] = value;
  }
  const { pathname, search } = new URL(c.req.url);
  const answer = await gateways.ask({
    method: c.req.method as Dispatcher.HttpMethod,
    path: pathname + search,
    headers,
    body: c.req.method === "POST" ? Buffer.from(await readText(c)) : undefined,
    // A mutation may be in a POST.
    mayRepeat: c.req.method === "GET",
  });
  for (const name of PASSED_BACK) {
    const value = answer.headers[name];
    if (typeof value === "string") c.header(name, value);
  }
  c.header("cross-origin-resource-policy", "same-origin");
  if (answer.status === 304 || answer.status === 204) {
    answer.body.destroy();
    return c.body(null, answer.status);
  }
  return c.body(webStream(answer.body), answer.status as ContentfulStatusCode);
}

/** node:stream's own Readable.toWeb goes on to fill a stream whose reader has gone, which in Deno ends the process. */
function webStream(body: Readable): ReadableStream<Uint8Array<ArrayBuffer>> {
  // Told to who reads as well.
  body.on("error", () => {});
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void body.destroy(),
  });
}
