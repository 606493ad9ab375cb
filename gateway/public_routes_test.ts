/** What is passed on for browsers, and what is not: through a real server to services that note what reaches them. */

import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import * as v from "valibot";
import type { Directory, Instance } from "../kit/directory.ts";
import { createApp } from "../kit/http.ts";
import type { Listener } from "../kit/service.ts";
import { delay } from "../kit/time.ts";
import { Balancer } from "./balancer.ts";
import { Guards } from "./guards/guards.ts";
import { GUARD_SETTINGS } from "./guards/settings.ts";
import { listenWithSockets } from "../kit/listen.ts";
import { servePublicRoutes } from "./public_routes.ts";

type Handler = (request: Request) => Response | Promise<Response>;
interface Seen {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A gateway with nothing but these routes, and a node of each service that `handlers` has one for. */
class Gateway implements AsyncDisposable {
  readonly seen: Seen[] = [];
  url = "";
  #listener!: Listener;
  #balancer!: Balancer;
  readonly #services: Deno.HttpServer[] = [];

  static async start(
    handlers: Record<string, Handler[]>,
    { settings = {}, limits = "off" }: { settings?: Record<string, string>; limits?: "on" | "off" } = {},
  ): Promise<Gateway> {
    const gateway = new Gateway();
    const instances = Object.entries(handlers).flatMap(([service, all]) =>
      all.map((handler, nth): Instance => gateway.#service(service, nth, handler))
    );
    const directory = {
      instances: (service: string) => instances.filter((one) => one.service === service),
      all: () => instances,
      onChange: () => () => {},
    } as unknown as Directory;
    const log = getLogger("test");
    const app = createApp({ service: "gateway", secret: "x".repeat(32), log, readyChecks: new Map(), statusPage: [] });
    gateway.#balancer = new Balancer(directory, { slowStartMs: 0, isLive: () => Promise.resolve(true) });
    const config = v.parse(v.object(GUARD_SETTINGS), settings);
    servePublicRoutes(app, {
      balancer: gateway.#balancer,
      guards: new Guards({ ...config, NOTIFYX_LIMITS: limits }),
    });
    const listen = listenWithSockets(() => ({ drain: () => Promise.resolve(), close() {} }) as never);
    gateway.#listener = await listen(app, "127.0.0.1", 0);
    gateway.url = `http://127.0.0.1:${gateway.#listener.port}`;
    return gateway;
  }

  #service(service: string, nth: number, handler: Handler): Instance {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      this.seen.push({ service, method, path: pathname + search, headers, body: await request.text() });
      return handler(request);
    });
    this.#services.push(server);
    return { id: `${service}-${nth}`, service, url: `http://127.0.0.1:${server.addr.port}` } as Instance;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#balancer.stop();
    this.#listener.close();
    await this.#listener.drain();
    await Promise.all(this.#services.map((server) => server.shutdown()));
  }
}

const ok = () => new Response("hello");

async function codeOf(response: Response): Promise<[number, string]> {
  return [response.status, (await response.json()).code];
}

Deno.test("public routes - each goes to its service with path, query, and the headers that it may need", async () => {
  await using gateway = await Gateway.start({ avatar: [ok], notifications: [ok], auth: [ok] });
  const headers = {
    accept: "image/png",
    "if-none-match": '"a"',
    authorization: "Bearer secret",
    cookie: "a=b",
    "x-request-id": "r1",
  };
  const paths = ["/avatars/a.png?size=64&x=%20y", "/unsubscribe/t/ü", "/account/confirm/x"];
  for (const path of paths) assert.equal(await (await fetch(gateway.url + path, { headers })).text(), "hello");
  assert.deepEqual(gateway.seen.map(({ service, method, path }) => [service, method, path]), [
    ["avatar", "GET", "/avatars/a.png?size=64&x=%20y"],
    ["notifications", "GET", "/unsubscribe/t/%C3%BC"],
    ["auth", "GET", "/account/confirm/x"],
  ]);
  for (const { headers } of gateway.seen) {
    assert.deepEqual(
      ["accept", "if-none-match", "x-request-id", "x-forwarded-for", "authorization", "cookie"].map((name) =>
        headers.get(name)
      ),
      ["image/png", '"a"', "r1", "127.0.0.1", null, null],
    );
  }
});

Deno.test("public routes - the answer's status, bytes and headers come back, but for what is no browser's business", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  const headers = {
    "content-type": "image/png",
    etag: '"e"',
    "cache-control": "public, max-age=31536000, immutable",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "set-cookie": "a=b",
    "x-internal": "1",
  };
  await using gateway = await Gateway.start({
    avatar: [
      ({ headers: asked }) =>
        asked.get("if-none-match") === '"e"' ? new Response(null, { status: 304, headers }) : new Response(bytes, {
          headers,
        }),
    ],
    auth: [() => new Response(null, { status: 303, headers: { location: "/account/done" } })],
  });
  const url = `${gateway.url}/avatars/a.png`;
  const got = await fetch(url);
  assert.deepEqual(new Uint8Array(await got.arrayBuffer()), bytes);
  for (const name of Object.keys(headers).slice(0, 5)) {
    assert.equal(got.headers.get(name), headers[name as keyof typeof headers], name);
  }
  assert.deepEqual(["set-cookie", "x-internal"].map((name) => got.headers.get(name)), [null, null]);

  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length"), await head.text()], [200, "256", ""]);
  const known = await fetch(url, { headers: { "if-none-match": '"e"' } });
  assert.deepEqual([known.status, known.headers.get("etag"), await known.text()], [304, '"e"', ""]);
  const moved = await fetch(`${gateway.url}/account/x`, { method: "POST", body: "a=1", redirect: "manual" });
  assert.deepEqual([moved.status, moved.headers.get("location"), await moved.text()], [303, "/account/done", ""]);
  assert.deepEqual(gateway.seen.map(({ method }) => method), ["GET", "HEAD", "GET", "POST"]);
});

Deno.test("public routes - a form is passed on once, up to 16 KiB", async () => {
  await using gateway = await Gateway.start({ notifications: [ok] });
  const post = (body: BodyInit) =>
    fetch(`${gateway.url}/unsubscribe/x`, {
      method: "POST",
      body,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  await (await post("List-Unsubscribe=One-Click")).body?.cancel();
  const [{ method, headers, body }] = gateway.seen as [Seen];
  assert.deepEqual([method, headers.get("content-type"), body], [
    "POST",
    "application/x-www-form-urlencoded",
    "List-Unsubscribe=One-Click",
  ]);
  assert.equal((await (await post("x".repeat(16 * 1024))).text()).length, 5);
  const long = new Blob(["x".repeat(16 * 1024 + 1)]);
  for (const body of [long, long.stream()]) assert.deepEqual(await codeOf(await post(body)), [413, "BAD_USER_INPUT"]);
  assert.deepEqual(await codeOf(await post(new Uint8Array([0xff]))), [400, "BAD_USER_INPUT"]);
  assert.equal(gateway.seen.length, 2);
});

Deno.test("public routes - other methods are 405, and no path leads out of its prefix", async () => {
  await using gateway = await Gateway.start({ avatar: [ok] });
  for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const response = await fetch(`${gateway.url}/avatars/x`, { method });
    assert.deepEqual([response.headers.get("allow"), ...await codeOf(response)], [
      "GET, HEAD, POST",
      405,
      "BAD_USER_INPUT",
    ]);
  }
  for (
    const path of [
      "/avatars/%2e%2e/x",
      "/avatars/.%2E\\x",
      "/avatars/a/../../x",
      "/avatars/..\\x",
      "/avatars",
      "/Avatars/x",
    ]
  ) {
    assert.match(await raw(gateway.url, path), /^HTTP\/1.1 40[04]/, path);
  }
  assert.deepEqual(gateway.seen, []);
});

Deno.test("public routes - where one node is sick another is asked; a form never is", async () => {
  const sick = () => new Response("at main.ts:1", { status: 500 });
  await using gateway = await Gateway.start({ avatar: [sick, ok], auth: [sick, ok] });
  for (let times = 0; times < 4; times++) assert.equal((await fetch(`${gateway.url}/avatars/x`)).status, 200);
  gateway.seen.length = 0;
  const statuses = [];
  for (let times = 0; times < 2; times++) {
    const response = await fetch(`${gateway.url}/account/x`, { method: "POST" });
    assert.doesNotMatch(await response.text(), /main\.ts/);
    statuses.push(response.status);
  }
  assert.deepEqual([statuses.sort(), gateway.seen.length], [[200, 503], 2]);
});

Deno.test("public routes - 503 with Retry-After where nobody is there; a service that says so itself stays asked", async () => {
  await using gateway = await Gateway.start({
    avatar: [() => new Response("full", { status: 503, headers: { "retry-after": "1" } })],
  });
  const away = await fetch(`${gateway.url}/account/x`);
  assert.deepEqual([away.headers.get("retry-after"), ...await codeOf(away)], ["2", 503, "SERVICE_UNAVAILABLE"]);
  for (let times = 0; times < 10; times++) {
    const full = await fetch(`${gateway.url}/avatars/x`);
    assert.deepEqual([full.status, full.headers.get("retry-after"), await full.text()], [503, "1", "full"]);
  }
  assert.equal(gateway.seen.length, 10);
});

Deno.test("public routes - what a client no longer waits for is given up, and counted for its address", async () => {
  const ended = Promise.withResolvers<void>();
  await using gateway = await Gateway.start({
    // The first answer never ends.
    avatar: [({ url }) => url.endsWith("/long") ? new Response(new ReadableStream({ cancel: ended.resolve })) : ok()],
  }, { limits: "on", settings: { NOTIFYX_OPERATIONS_PER_MINUTE_OF_ADDRESS: "3" } });
  const abort = new AbortController();
  const asking = fetch(`${gateway.url}/avatars/long`, { signal: abort.signal });
  while (gateway.seen.length === 0) await delay(5);
  abort.abort();
  await assert.rejects(asking);
  await ended.promise;
  // The third is over, and the next one hears of it.
  const statuses = [];
  for (let times = 0; times < 4; times++) {
    const response = await fetch(`${gateway.url}/avatars/x`);
    await response.body?.cancel();
    statuses.push([response.status, response.headers.has("retry-after")]);
  }
  assert.deepEqual(statuses, [[200, false], [200, false], [200, false], [429, true]]);
});

/** The answer to a path that fetch would tidy up. */
async function raw(url: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`));
  return await new Response(connection.readable).text();
}

Deno.test("public routes - more than 128 at once are told to come back, and break nothing for those after them", async () => {
  const { promise: free, resolve } = Promise.withResolvers<void>();
  await using gateway = await Gateway.start({ avatar: [() => free.then(() => new Response("picture"))] });
  const asked = Array.from({ length: 300 }, () => fetch(`${gateway.url}/avatars/1.png`));
  while (gateway.seen.length < 128) await delay(5);
  const refused = await Promise.any(asked);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "2"]);
  assert.equal((await fetch(`${gateway.url}/unsubscribe/x`)).status, 503, "of the service that isn't there");
  resolve();
  const answers = await Promise.all(asked);
  for (const answer of answers) if (!answer.bodyUsed) await answer.body?.cancel();
  assert.deepEqual(Map.groupBy(answers, ({ status }) => status).get(200)?.length, 128);
  assert.equal(await (await fetch(`${gateway.url}/avatars/1.png`)).text(), "picture");
});
