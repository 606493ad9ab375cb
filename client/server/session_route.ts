/**
 * Signing in and out. The token that auth gives goes into a cookie that no script can read (session_cookie.ts); the app gets to know only
 * whose session it is.
 *
 * `POST /session` takes `{"action": "login" | "register", "email": "…", "password": "…"}`, `GET` says whose session there is,
 * `DELETE` ends it. What changes something comes from our own pages alone: by its Origin, and as JSON, for which a page from elsewhere
 * would have to ask first.
 */

import * as v from "valibot";
import { UserError } from "../../kit/errors.ts";
import { type App, readJson, remoteAddress, type RequestContext } from "../../kit/http.ts";
import type { Origins } from "../../kit/origins.ts";
import type { Gateways } from "./gateways.ts";
import type { SessionCookie } from "./session_cookie.ts";

const SIGN_IN = v.object({
  action: v.picklist(["login", "register"], "login or register"),
  email: v.pipe(v.string("a string"), v.maxLength(1_000, "at most 1,000 characters")),
  password: v.pipe(v.string("a string"), v.maxLength(1_000, "at most 1,000 characters")),
});
const USER = "user { id email }";

interface Viewer {
  readonly id: string;
  readonly email: string;
}

export interface SessionRouteOptions {
  readonly gateways: Gateways;
  readonly cookie: SessionCookie;
  readonly origins: Origins;
}

export function serveSession(app: App, { gateways, cookie, origins }: SessionRouteOptions): void {
  const asking = (c: RequestContext, token?: string) => ({
    forwarded: gateways.forwarded(remoteAddress(c), c.req.header("x-forwarded-for")),
    requestId: c.get("requestId"),
    token,
  });
  app.use("/session", async (c, next) => {
    c.header("cache-control", "no-store");
    await next();
  });

  app.get("/session", async (c) => {
    const token = cookie.token(c.req.header("cookie"));
    if (token === undefined) return c.json({ user: null });
    try {
      const { me } = await gateways.graphql<{ me: Viewer }>("{ me { id email } }", {}, asking(c, token));
      return c.json({ user: me });
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "UNAUTHENTICATED") throw error;
      cookie.forget(c);
      return c.json({ user: null, ended: true });
    }
  });

  app.post("/session", async (c) => {
    origins.check(c.req.header("origin"), c.req.header("host"));
    if (!c.req.header("content-type")?.startsWith("application/json")) {
      throw new UserError("BAD_USER_INPUT", "the body is not JSON");
    }
    const { action, email, password } = await readJson(c, SIGN_IN);
    const mutation = `mutation ($email: String!, $password: String!) {
      session: ${action}(email: $email, password: $password) { token expiresAt ${USER} }
    }`;
    const { session } = await gateways.graphql<{ session: { token: string; expiresAt: string; user: Viewer } }>(
      mutation,
      { email, password },
      asking(c),
    );
    cookie.keep(c, session.token, new Date(session.expiresAt));
    return c.json({ user: session.user });
  });

  app.delete("/session", async (c) => {
    origins.check(c.req.header("origin"), c.req.header("host"));
    const token = cookie.token(c.req.header("cookie"));
    if (token !== undefined) {
      try {
        await gateways.graphql("mutation { logout }", {}, asking(c, token));
      } catch (error) {
        // Where the session can't be ended just now the cookie stays, so that it can be tried again.
        if (!(error instanceof UserError) || error.code !== "UNAUTHENTICATED") throw error;
      }
    }
    cookie.forget(c);
    return c.body(null, 204);
  });
}
