/**
 * The routes of the status page. All are for people on this machine and members of the cluster:
 * - `GET /dashboard`: the page
 * - `GET /dashboard/live`: server-sent events, by which an open page stays as things are: `points` and `tables`
 * - `GET /dashboard/data?after=STEP`: the figures as JSON, behind a step of history.ts; the gateways ask each process for it
 * - `GET /dashboard/assets/…`: what the page loads
 */

import { answerCacheable } from "../cacheable.ts";
import { UserError } from "../errors.ts";
import type { App, RequestContext } from "../http.ts";
import { pageHeaders } from "../page_headers.ts";
import type { Dashboard } from "./dashboard.ts";
import { contentSecurityPolicy } from "./page.ts";

/** `allow` throws where somebody may not look. */
export function serveDashboard(app: App, dashboard: Dashboard, allow: (c: RequestContext) => void): void {
  app.get("/dashboard", async (c) => {
    allow(c);
    const headers = pageHeaders(contentSecurityPolicy(dashboard.hasButtons));
    return c.html(await dashboard.page(), 200, { ...headers, "cache-control": "no-store" });
  });

  app.get("/dashboard/live", async (c) => {
    allow(c);
    const headers = {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      // Its end is the connection's: kept open, that would keep a process from stopping.
      connection: "close",
    };
    // Hono answers HEAD by the GET route without its body: a stream opened for it would never be closed.
    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    return c.body(await dashboard.open(() => c.env.incoming?.socket.destroy()), 200, headers);
  });

  app.get("/dashboard/data", (c) => {
    allow(c);
    const after = c.req.query("after") ?? "-1";
    if (!/^(-1|\d{1,15})$/.test(after)) throw new UserError("BAD_USER_INPUT", "after is no step");
    return c.json(dashboard.data(Number(after)), 200, { "cache-control": "no-store" });
  });

  app.get("/dashboard/assets/:name", async (c) => {
    allow(c);
    // Loaded when someone opens the page first.
    const { dashboardAsset } = await import("./assets.ts");
    const asset = await dashboardAsset(c.req.param("name"));
    if (asset === undefined) throw new UserError("NOT_FOUND", "no such file");
    return answerCacheable(c, asset);
  });
}
