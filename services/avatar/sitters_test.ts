/** Whose letters are known, and what is asked of auth for the others. */

import assert from "node:assert/strict";
import type { Directory } from "../../kit/directory.ts";
import { Sitters } from "./sitters.ts";

const SECRET = "x".repeat(32);

/** Auth's route for members, on as many nodes as it says. */
class Auth implements AsyncDisposable {
  readonly asked: string[][] = [];
  isSick = false;
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[];

  constructor(nodes: number) {
    this.#servers = Array.from(
      { length: nodes },
      () =>
        Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
          assert.equal(request.headers.get("authorization"), `Bearer ${SECRET}`);
          const { ids } = await request.json() as { ids: string[] };
          this.asked.push(ids);
          if (this.isSick) return new Response("sick", { status: 500 });
          return Response.json(ids.map((id) => id === "nobody" ? null : { id, email: `${id}.x@example.com` }));
        }),
    );
  }

  get directory(): Directory {
    const urls = this.#servers.map(({ addr }) => ({ url: `http://127.0.0.1:${addr.port}` }));
    return { instances: () => urls } as unknown as Directory;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }
}

Deno.test("sitters - what is asked for at once is one call, and known from then on", async () => {
  await using auth = new Auth(2);
  const sitters = new Sitters(auth.directory, SECRET);
  const letters = await Promise.all(["ann", "bob", "carol"].map((id) => sitters.letters(id)));
  assert.deepEqual(letters, ["AX", "BX", "CX"]);
  assert.equal(await sitters.letters("ann"), "AX");
  assert.deepEqual(auth.asked, [["ann", "bob", "carol"]]);
  await assert.rejects(sitters.letters("nobody"), { code: "NOT_FOUND" });
});

Deno.test("sitters - another node is asked where one fails; where none answers, it says when to come back", async () => {
  await using auth = new Auth(2);
  const sitters = new Sitters(auth.directory, SECRET);
  auth.isSick = true;
  await assert.rejects(sitters.letters("ann"), (error) => {
    const { code, extensions } = error as { code: string; extensions: { retryAfterSeconds: number } };
    assert.deepEqual([code, extensions.retryAfterSeconds], ["SERVICE_UNAVAILABLE", 2]);
    return true;
  });
  assert.equal(auth.asked.length, 2);
  auth.isSick = false;
  assert.equal(await sitters.letters("ann"), "AX");
  await assert.rejects(new Sitters({ instances: () => [] } as unknown as Directory, SECRET).letters("ann"), {
    code: "SERVICE_UNAVAILABLE",
  });
});
