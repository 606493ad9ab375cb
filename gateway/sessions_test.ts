import assert from "node:assert/strict";
import type { Directory } from "../kit/directory.ts";
import { Balancer } from "./balancer.ts";
import { Sessions } from "./sessions.ts";

const TOKEN = "a-token";

/** An auth whose sessions end when `alive` says so, and which answers when it is allowed to. */
class Auth implements AsyncDisposable {
  alive = true;
  asked = 0;
  mayAnswer = Promise.resolve();
  readonly #server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async () => {
    this.asked++;
    const { alive } = this;
    await this.mayAnswer;
    const expiresAt = new Date(Date.now() + 20_000).toISOString();
    return alive
      ? Response.json({ identity: `identity ${this.asked}`, expiresAt, userId: "ann" })
      : Response.json({ error: "it has ended", code: "UNAUTHENTICATED" }, { status: 401 });
  });

  sessions(): Sessions {
    const url = `http://127.0.0.1:${this.#server.addr.port}`;
    const directory = { instances: () => [{ id: "auth", url }] } as unknown as Directory;
    return new Sessions(new Balancer(directory), "secret");
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }
}

Deno.test("sessions - a sign-out is not undone by an exchange that was on its way", async () => {
  await using auth = new Auth();
  const sessions = auth.sessions();
  assert.equal((await sessions.of(TOKEN)).userId, "ann");
  const { promise, resolve } = Promise.withResolvers<void>();
  auth.mayAnswer = promise;
  // Less than half a minute is left, so this one is answered at once and renewed behind its back.
  await sessions.of(TOKEN);
  while (auth.asked < 2) await new Promise((next) => setTimeout(next, 5));
  auth.alive = false;
  sessions.forget(TOKEN);
  resolve();
  await new Promise((next) => setTimeout(next, 50));
  await assert.rejects(sessions.of(TOKEN), { code: "UNAUTHENTICATED" });
});

Deno.test("sessions - requests that come together share one exchange", async () => {
  await using auth = new Auth();
  const sessions = auth.sessions();
  const all = await Promise.all(Array.from({ length: 20 }, () => sessions.of(TOKEN)));
  assert.equal(auth.asked, 1);
  assert(all.every((one) => one === all[0]));
});
