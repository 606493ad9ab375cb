/** The status page's routes: who may look, what comes, and what a page may load. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { createApp } from "../http.ts";
import { readEvents } from "../directory.ts";
import { Dashboard } from "./dashboard.ts";
import { gauge } from "./figures.ts";

const SECRET = "x".repeat(32);
const LOCAL = { remoteAddr: { hostname: "127.0.0.1" } };
const FAR = { remoteAddr: { hostname: "10.0.0.1" } };

/** A process with one table and one check, which has begun to take its figures. */
async function startDashboard() {
  const readyChecks = new Map<string, () => boolean>([["database", () => true]]);
  const dashboard = new Dashboard({ service: "test", id: "test-1", readyChecks });
  dashboard.sections.push(() => ({ title: "A <table>", columns: ["a"], rows: [["one"]] }));
  dashboard.figures.push({ key: "none", label: "None", unit: "count", of: gauge({ metric: "notifyx_mail_failed" }) });
  const log = getLogger("test");
  const app = createApp({ service: "test", secret: SECRET, log, readyChecks, statusPage: [], dashboard });
  const get = async (path: string, env: object = LOCAL, headers: HeadersInit = {}) =>
    await app.request(path, { headers }, env);
  dashboard.start();
  await get("/dashboard");
  return { app, dashboard, readyChecks, get, [Symbol.asyncDispose]: () => dashboard.stop() };
}

Deno.test("dashboard routes - for this machine and for members, each of them", async () => {
  await using started = await startDashboard();
  for (const path of ["/dashboard", "/dashboard/live", "/dashboard/data", "/dashboard/assets/live.js"]) {
    const statuses = [];
    for (
      const [env, headers] of [
        [LOCAL, {}],
        [FAR, { authorization: `Bearer ${SECRET}` }],
        [FAR, {}],
        [LOCAL, { "x-forwarded-for": "10.0.0.1" }],
        [FAR, { authorization: "Bearer wrong" }],
      ] as const
    ) {
      const response = await started.get(path, env, headers);
      statuses.push(response.status);
      await response.body?.cancel();
    }
    assert.deepEqual(statuses, [200, 200, 401, 401, 401], path);
  }
});

Deno.test("dashboard routes - what is wrong elsewhere is told to people, not to processes, which would tell one another for ever", async () => {
  await using started = await startDashboard();
  started.dashboard.problemsElsewhere.push(() => ["another is away"]);
  started.readyChecks.set("database", () => false);
  assert.match(await (await started.get("/dashboard")).text(), /another is away/);
  const { ready, problems } = await (await started.get("/dashboard/data")).json();
  assert.deepEqual({ ready, problems }, { ready: false, problems: ["waiting for database"] });
});

Deno.test("dashboard routes - the page says all without JavaScript, and loads only what is here", async () => {
  await using started = await startDashboard();
  const response = await started.get("/dashboard");
  const policy = response.headers.get("content-security-policy")!;
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assert.match(policy, /form-action 'none'/);
  const text = await response.text();
  assert.match(text, /<noscript><meta http-equiv="refresh" content="5"><\/noscript>/);
  assert.match(text, /<strong>Ready<\/strong>\s*<span>nothing is wrong/);
  assert.match(text, /A &#60;table&#62;/);
  assert.doesNotMatch(text, /<script>|style=| on\w+=/);
  const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url!).filter((url) =>
    !url.startsWith("data:")
  );
  assert.ok(loaded.length >= 4);
  for (const url of loaded) {
    const asset = await started.get(`/${url}`);
    assert.equal(asset.status, 200, url);
    const etag = asset.headers.get("etag")!;
    const bytes = new Uint8Array(await asset.arrayBuffer());
    const compressed = await started.get(`/${url}`, LOCAL, { "accept-encoding": "gzip" });
    assert.equal(compressed.headers.get("content-encoding"), "gzip");
    const unpacked = compressed.body!.pipeThrough(new DecompressionStream("gzip"));
    assert.deepEqual(new Uint8Array(await new Response(unpacked).arrayBuffer()), bytes);
    const again = await started.get(`/${url}`, LOCAL, { "if-none-match": etag });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
  }
  assert.equal((await started.get("/dashboard/assets/none.js")).status, 404);
  started.dashboard.hasButtons = true;
  const withButtons = await started.get("/dashboard");
  assert.match(withButtons.headers.get("content-security-policy")!, /form-action 'self'/);
  await withButtons.body?.cancel();
});

Deno.test("dashboard routes - the stream begins with the whole hour, and ends at the stop; twenty at most", async () => {
  const started = await startDashboard();
  const first = await started.get("/dashboard/live");
  assert.equal(first.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const events = readEvents(first.body!);
  const { event, data } = (await events.next()).value!;
  assert.equal(event, "points");
  const { ready, problems, groups } = JSON.parse(data);
  assert.deepEqual([ready, problems], [true, []]);
  assert.ok(groups.here.series.memory.at(-1) > 0);
  assert.deepEqual(groups.here.series.none.at(-1), null);
  assert.equal((await events.next()).value!.event, "tables");

  await started.app.request("/dashboard/live", { method: "HEAD" }, LOCAL);
  assert.equal(started.dashboard.viewers.count, 1);
  const others = await Promise.all(Array.from({ length: 20 }, () => started.get("/dashboard/live")));
  assert.deepEqual(others.map(({ status }) => status).toSorted(), [...Array(19).fill(200), 503]);
  assert.equal(others.at(-1)!.headers.get("retry-after"), "10");
  const began = performance.now();
  await started.dashboard.stop();
  assert.ok(performance.now() - began < 1_000);
  assert.equal((await events.next()).done, true);
  assert.equal((await started.get("/dashboard/live")).status, 503);
});

Deno.test("dashboard routes - the data for a gateway: what is new, what is wrong, and no query that isn't one", async () => {
  await using started = await startDashboard();
  const data = async (path: string) => await (await started.get(path)).json();
  const all = await data("/dashboard/data");
  assert.deepEqual([all.service, all.id, all.ready, all.problems], ["test", "test-1", true, []]);
  assert.ok(all.series.memory.length >= 1 && all.series.memory.at(-1) > 0);
  const { series, until } = await data(`/dashboard/data?after=${all.until + 10}`);
  assert.ok(until >= all.until);
  assert.deepEqual(series.memory, []);
  for (const after of ["x", "-2", "1.5", "9".repeat(16)]) {
    assert.equal((await started.get(`/dashboard/data?after=${after}`)).status, 400, after);
  }
  started.readyChecks.set("database", () => false);
  const page = await (await started.get("/dashboard")).text();
  assert.match(page, /Not ready[\s\S]*waiting for database/);
  assert.deepEqual((await data("/dashboard/data")).problems, ["waiting for database"]);
});
