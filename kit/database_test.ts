import assert from "node:assert/strict";
import { outliveLostConnections } from "./database.ts";
import { delay } from "./time.ts";

Deno.test("database - a lost connection's error in a promise that nobody holds ends no process", async () => {
  const lost: unknown[] = [];
  using _ = outliveLostConnections((error) => lost.push(error));
  const error = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  void Promise.reject(error);
  await delay(0);
  assert.deepEqual(lost, [error]);
});
