/** The routes by which requests are measured. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { createApp } from "./http.ts";
import { httpDuration } from "./metrics.ts";

Deno.test("http - a request is measured by the route that answers, also where one is for every path", async () => {
  const log = getLogger("test");
  const app = createApp({ service: "test", secret: "x".repeat(32), log, readyChecks: new Map(), statusPage: [] });
  app.get("/topics/:id", (c) => c.text("a topic"));
  app.get("*", (c, next) => c.req.path.startsWith("/pages/") ? Promise.resolve(c.text("a page")) : next());
  for (
    const path of ["/health/live", "/metrics", "/topics/1", "/topics/2", "/pages/1", "/pages/2", "/nowhere", "/.env"]
  ) {
    await (await app.request(path, {}, { remoteAddr: { hostname: "127.0.0.1" } })).body?.cancel();
  }
  const counts = (await httpDuration.get()).values.filter(({ metricName }) => metricName?.endsWith("_count"));
  assert.deepEqual(
    counts.map(({ labels, value }) => `${labels.route} ${labels.status} ${value}`).sort(),
    ["/* 200 2", "/health/live 200 1", "/metrics 200 1", "/topics/:id 200 2", "unmatched 404 2"],
  );
});
