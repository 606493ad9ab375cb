/** Calls over kept connections, to servers that answer, break off, say nothing, or aren't there. */

import assert from "node:assert/strict";
import { call } from "../kit/call.ts";
import { DEADLINE_HEADER } from "../kit/deadline.ts";
import { request } from "./http_client.ts";

const GET = { method: "GET", headers: {}, body: undefined, limitMs: 5_000 } as const;

/** A server of bytes: `answer` is given each connection and what it sent so far. */
class RawServer implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly url = `http://127.0.0.1:${this.#listener.addr.port}`;
  connections = 0;
  /** Resolves when a client has closed its connection. */
  readonly hungUp = Promise.withResolvers<void>();

  constructor(private readonly answer: (connection: Deno.TcpConn) => Promise<void>) {
    void this.#serve();
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      this.connections++;
      void this.#follow(connection);
    }
  }

  async #follow(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(10_000);
    try {
      while (await connection.read(buffer) !== null) await this.answer(connection);
      connection.close();
    } catch {
      // Closed by `answer`, or reset by the client.
    }
    this.hungUp.resolve();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

const write = (text: string) => async (connection: Deno.TcpConn) => {
  await connection.write(new TextEncoder().encode(text));
};

Deno.test("http client - sends method, headers, path and body, and gives status and text", async () => {
  const seen: unknown[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (asked) => {
    const { pathname, search } = new URL(asked.url);
    seen.push([asked.method, pathname + search, asked.headers.get("x-a"), await asked.text()]);
    return new Response("é", { status: 418 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const answer = { status: 418, text: "é" };
  assert.deepEqual(
    await request(`${url}/b/c?d=1`, { ...GET, method: "DELETE", headers: { "x-a": "1" }, body: "ü" }),
    answer,
  );
  assert.deepEqual(await request(url, GET), answer);
  assert.deepEqual(seen, [["DELETE", "/b/c?d=1", "1", "ü"], ["GET", "/", null, ""]]);
});

Deno.test("http client - connections are kept: calls one after another share one or two", async () => {
  using server = new RawServer(write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"));
  for (let times = 0; times < 5; times++) assert.equal((await request(server.url, GET)).text, "hi");
  assert.ok(server.connections <= 2, `${server.connections} connections`);
});

Deno.test("http client - TIMEOUT for a server that says nothing, or stops in the middle; it is hung up on", async () => {
  for (const said of ["", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh"]) {
    using server = new RawServer(write(said));
    await assert.rejects(request(server.url, { ...GET, limitMs: 50 }), { code: "TIMEOUT" });
    await server.hungUp.promise;
  }
});

Deno.test("http client - what waited for a connection until its time was over is never sent", async () => {
  const CONNECTIONS = 128;
  const seen: string[] = [];
  const answer = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (asked) => {
    seen.push(new URL(asked.url).pathname);
    await answer.promise;
    return new Response();
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const first = Array.from({ length: CONNECTIONS }, () => request(`${url}/first`, GET));
  await assert.rejects(request(`${url}/late`, { ...GET, limitMs: 20 }), { code: "TIMEOUT" });
  answer.resolve();
  await Promise.all(first);
  assert.equal((await request(`${url}/next`, GET)).status, 200);
  assert.deepEqual([seen.length, seen.at(-1), seen.includes("/late")], [CONNECTIONS + 1, "/next", false]);
});

Deno.test("http client - SERVICE_UNAVAILABLE where nobody listens, or the answer breaks off or is none", async () => {
  const closed = new RawServer(write(""));
  closed[Symbol.dispose]();
  await assert.rejects(request(closed.url, GET), { code: "SERVICE_UNAVAILABLE" });
  for (const said of ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nh", "no HTTP\r\n\r\n"]) {
    using server = new RawServer(async (connection) => {
      await write(said)(connection);
      connection.close();
    });
    await assert.rejects(request(server.url, GET), { code: "SERVICE_UNAVAILABLE" }, said);
  }
});

Deno.test("http client - an answer beyond all measure is given up", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const chunk = new Uint8Array(1024 * 1024).fill(120);
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
  });
  await assert.rejects(request(`http://127.0.0.1:${server.addr.port}`, { ...GET, limitMs: 20_000 }), (error) => {
    assert.equal((error as { code: string }).code, "SERVICE_UNAVAILABLE");
    assert.match(String((error as { originalError?: Error }).originalError), /over \d+ bytes/);
    return true;
  });
});

Deno.test("call - says until when it waits", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (asked) => Response.json(Number(asked.headers.get(DEADLINE_HEADER)) - Date.now()),
  );
  const { body } = await call(`http://127.0.0.1:${server.addr.port}`, { limitMs: 2_000 });
  assert.ok(typeof body === "number" && body > 1_000 && body <= 2_000, `${body}`);
});

Deno.test("http client - an answer that came in time is one, though this process was busy until its time was over", async () => {
  const code = `const { finished, addr } = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async () => {
      postMessage("asked");
      await new Promise((resolve) => setTimeout(resolve, 50));
      return new Response("here");
    });
    postMessage(addr.port);`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  const said = () => new Promise<unknown>((resolve) => worker.onmessage = ({ data }) => resolve(data));
  try {
    const url = `http://127.0.0.1:${await said()}/`;
    const asked = said();
    const answer = request(url, { method: "GET", headers: {}, body: undefined, limitMs: 500 });
    await asked;
    const busyUntil = performance.now() + 1_000;
    while (performance.now() < busyUntil);
    assert.deepEqual(await answer, { status: 200, text: "here" });
  } finally {
    worker.terminate();
  }
});
