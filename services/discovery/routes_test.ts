import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { createApp } from "../../kit/http.ts";
import { Registry } from "./registry.ts";
import { addDiscoveryRoutes } from "./routes.ts";
import { Watchers } from "./watchers.ts";

const SECRET = "a secret of at least thirty-two characters";
const COUNTER = {
  service: "counter",
  url: "http://127.0.0.1:4400",
  participates: ["sendNotification"],
  subgraph: true,
};

function start() {
  const watchers = new Watchers();
  const registry = new Registry({ onChange: (change) => watchers.send(change) });
  const app = createApp({
    service: "discovery",
    secret: SECRET,
    log: getLogger("test"),
    readyChecks: new Map(),
    statusPage: [],
  });
  addDiscoveryRoutes(app, { registry, watchers, secret: SECRET, discoveryUrls: ["http://127.0.0.1:4100"] });
  const ask = async (method: string, path: string, body?: unknown, secret: string | undefined = SECRET) => {
    const headers: Record<string, string> = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const response = await app.request(path, { method, headers, body: text });
    const answer = await response.text();
    return { status: response.status, body: answer === "" ? null : JSON.parse(answer) };
  };
  return { app, ask, registry, watchers };
}

Deno.test("discovery routes - an instance registers, is listed, and leaves", async () => {
  const { ask } = start();
  assert.deepEqual(await ask("PUT", "/api/instances/counter-1", COUNTER), { status: 200, body: { ttlSeconds: 10 } });
  const { body } = await ask("GET", "/api/services", undefined, "");
  const [counter] = body.services;
  assert.equal(counter.name, "counter");
  const { startedAt, lastHeartbeatAt, ...rest } = counter.instances[0];
  assert.deepEqual(rest, { id: "counter-1", ...COUNTER });
  for (const time of [startedAt, lastHeartbeatAt]) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual((await ask("GET", "/api/services/counter")).body, counter);
  assert.equal((await ask("DELETE", "/api/instances/counter-1")).status, 204);
  assert.equal((await ask("DELETE", "/api/instances/counter-1")).status, 204);
  assert.deepEqual((await ask("GET", "/api/services")).body, { services: [] });
  assert.equal((await ask("GET", "/api/services/counter")).body.code, "NOT_FOUND");
});

Deno.test("discovery routes - Prometheus is told who says that it serves /metrics", async () => {
  const { app, ask } = start();
  await ask("PUT", "/api/instances/a", { ...COUNTER, metrics: true });
  await ask("PUT", "/api/instances/b", { ...COUNTER, url: "http://127.0.0.1:4401" });
  const response = await app.request("/api/prometheus");
  // Prometheus takes no other type.
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.deepEqual(await response.json(), [
    { targets: ["127.0.0.1:4100"], labels: { job: "discovery" } },
    { targets: ["127.0.0.1:4400"], labels: { job: "counter" } },
  ]);
});

Deno.test("discovery routes - announcing and leaving take the cluster's secret", async () => {
  const { ask, registry } = start();
  await ask("PUT", "/api/instances/a", COUNTER);
  for (const secret of ["", "wrong", `${SECRET}x`]) {
    assert.equal((await ask("PUT", "/api/instances/b", COUNTER, secret)).status, 401);
    assert.equal((await ask("DELETE", "/api/instances/a", undefined, secret)).status, 401);
  }
  assert.equal(registry.count, 1);
});

Deno.test("discovery routes - unknown members are ignored, optional ones have defaults, a url loses its slash", async () => {
  const { ask, registry } = start();
  const { status } = await ask("PUT", "/api/instances/a", { service: "x", url: "http://h:1/base//", zone: { a: 1 } });
  assert.equal(status, 200);
  const { service, url, participates, subgraph } = registry.all()[0]!;
  assert.deepEqual({ service, url, participates, subgraph }, {
    service: "x",
    url: "http://h:1/base",
    participates: [],
    subgraph: false,
  });
});

Deno.test("discovery routes - a wrong announcement is BAD_USER_INPUT and changes nothing", async () => {
  const { ask, registry } = start();
  const wrong: unknown[] = [
    "",
    "not JSON",
    "null",
    "[]",
    {},
    { service: "counter" },
    { url: COUNTER.url },
    ...["", "__proto__", "a b", "a/b", "é", "x".repeat(65), 1, null].map((service) => ({ ...COUNTER, service })),
    ...[
      "",
      "counter:4400",
      "ftp://h",
      "javascript:alert(1)",
      "http://",
      "http://u@h",
      "http://u:p@h",
      "http://h?q",
      "http://h#f",
      " http://h",
      "http://h\n",
      `http://h/${"x".repeat(500)}`,
      1,
    ].map((url) => ({ ...COUNTER, url })),
    ...["sendNotification", [""], [1], ["a b"], Array.from({ length: 33 }, (_, at) => `o${at}`), null].map((
      participates,
    ) => ({ ...COUNTER, participates })),
    ...["true", 1, null].map((subgraph) => ({ ...COUNTER, subgraph })),
  ];
  for (const body of wrong) {
    const answer = await ask("PUT", "/api/instances/a", body);
    assert.deepEqual([answer.status, answer.body.code], [400, "BAD_USER_INPUT"], JSON.stringify(body));
  }
  for (const id of ["%00", "a%20b", "a%2Fb", "%F0%9F%99%82", "x".repeat(129), "..%2f"]) {
    const answer = await ask("PUT", `/api/instances/${id}`, COUNTER);
    assert.deepEqual([answer.status, answer.body.code], [400, "BAD_USER_INPUT"], id);
  }
  assert.equal(registry.count, 0);
});

Deno.test("discovery routes - the watch stream is server-sent events, and HEAD opens none", async () => {
  const { app, ask, watchers } = start();
  await ask("PUT", "/api/instances/a", COUNTER);
  const response = await app.request("/api/watch");
  assert.match(response.headers.get("content-type")!, /^text\/event-stream/);
  await ask("DELETE", "/api/instances/a");
  watchers.close();
  const text = await response.text();
  assert.match(
    text,
    /^event: view\ndata: \{"services":\[\{"name":"counter".*\n\nevent: gone\ndata: \{"id":"a","service":"counter"\}\n\n$/,
  );

  const second = start();
  assert.equal((await second.app.request("/api/watch", { method: "HEAD" })).status, 200);
  assert.equal(second.watchers.count, 0);
});

Deno.test("discovery routes - another method is 405 and says which are taken", async () => {
  const { app } = start();
  const response = await app.request("/api/instances/a", { method: "POST" });
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "PUT, DELETE");
});
