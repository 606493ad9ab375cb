/** What the demo does when the API doesn't answer as it should: over real HTTP, by a server that says so. */

import assert from "node:assert/strict";
import { Api, Stopped } from "./api.ts";

/** Answers in this order, the last one for ever; null closes the connection. */
class Gateway implements AsyncDisposable {
  readonly askedAt: number[] = [];
  readonly lines: string[] = [];
  readonly stop = new AbortController();
  readonly api: Api;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answers: readonly unknown[]) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
      const answer = answers[Math.min(this.askedAt.length, answers.length - 1)];
      this.askedAt.push(performance.now());
      if (answer === null) return new Response("no JSON", { status: 502 });
      return answer === FULL
        ? Response.json(answer, { status: 429, headers: { "retry-after": "1" } })
        : Response.json(answer);
    });
    this.api = new Api(
      `http://127.0.0.1:${this.#server.addr.port}`,
      this.stop.signal,
      (line) => this.lines.push(line),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function fault(code: string, retryAfterSeconds?: number) {
  return { errors: [{ message: "no", extensions: { code, retryAfterSeconds } }] };
}

const FULL = { error: "too many requests from your address", code: "RATE_LIMITED" };
const FINE = { data: { fine: true } };

Deno.test("demo api - who is told to come back later does so, and not earlier", async () => {
  await using gateway = new Gateway([fault("RATE_LIMITED", 0.4), fault("TOO_MANY_REQUESTS", 0.2), FINE]);
  assert.deepEqual(await gateway.api.ask("{ fine }"), { fine: true });
  const [first, second, third] = gateway.askedAt as [number, number, number];
  // Clocks of timers are coarse.
  assert.ok(second - first >= 395 && third - second >= 195, `${second - first} ${third - second}`);
});

Deno.test("demo api - an answer that is no GraphQL is understood as well", async () => {
  await using gateway = new Gateway([FULL, FINE]);
  assert.deepEqual(await gateway.api.ask("{ fine }"), { fine: true });
  const [first, second] = gateway.askedAt as [number, number];
  assert.ok(second - first >= 995, `${second - first}`);
  await using other = new Gateway([{ error: "the body is too large", code: "BAD_USER_INPUT" }]);
  await assert.rejects(other.api.ask("{ fine }"), { code: "BAD_USER_INPUT", message: "the body is too large" });
});

Deno.test("demo api - it asks again while somebody is away, and says what else is wrong at once", async () => {
  await using gateway = new Gateway([null, fault("SERVICE_UNAVAILABLE", 0.1), FINE]);
  assert.deepEqual(await gateway.api.ask("{ fine }"), { fine: true });
  assert.equal(gateway.askedAt.length, 3);
  await using other = new Gateway([fault("NOT_FOUND")]);
  await assert.rejects(other.api.ask("{ fine }"), { code: "NOT_FOUND", message: "no" });
  assert.equal(other.askedAt.length, 1);
});

Deno.test("demo api - a long wait is told once, and a stop ends it", async () => {
  await using gateway = new Gateway([fault("RATE_LIMITED", 60)]);
  const asking = [gateway.api.ask("{ fine }"), gateway.api.ask("{ fine }")];
  while (gateway.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(gateway.lines, ["RATE_LIMITED: going on in 60 s"]);
  gateway.stop.abort();
  for (const one of asking) await assert.rejects(one, Stopped);
  assert.deepEqual([gateway.askedAt.length, gateway.lines.length], [2, 1]);
});
