/** So many at once, the others in turn. */

import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

/** Works that end when they are told to, by number. */
class Works {
  readonly begun: number[] = [];
  readonly #ends: PromiseWithResolvers<number>[] = [];

  work(number: number): () => Promise<number> {
    return () => {
      this.begun.push(number);
      this.#ends[number] = Promise.withResolvers();
      return this.#ends[number].promise;
    };
  }

  end(number: number, error?: Error): Promise<void> {
    if (error === undefined) this.#ends[number]!.resolve(number);
    else this.#ends[number]!.reject(error);
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
}

Deno.test("turns - two at once, the third when one ends or fails, and no more wait than may", async () => {
  const turns = new Turns(2, 2, { message: "too many", retryAfterSeconds: 1 });
  const works = new Works();
  const running = [0, 1, 2, 3].map((number) => turns.run(works.work(number)));
  assert.deepEqual(works.begun, [0, 1]);
  await assert.rejects(turns.run(works.work(4)), { code: "TOO_MANY_REQUESTS" });
  const failing = assert.rejects(running[0]!, /broken/);
  await works.end(0, new Error("broken"));
  await failing;
  assert.deepEqual(works.begun, [0, 1, 2]);
  await works.end(2);
  await works.end(1);
  await works.end(3);
  assert.deepEqual(await Promise.all(running.slice(1)), [1, 2, 3]);

  // All turns are free again.
  const again = [5, 6, 7].map((number) => turns.run(works.work(number)));
  assert.deepEqual(works.begun.slice(4), [5, 6]);
  for (const number of [5, 6, 7]) await works.end(number);
  assert.deepEqual(await Promise.all(again), [5, 6, 7]);
});
