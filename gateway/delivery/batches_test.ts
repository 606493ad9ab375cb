/** Many small questions as few large ones. */

import assert from "node:assert/strict";
import { UserError } from "../../kit/errors.ts";
import { delay } from "../../kit/time.ts";
import { Batches } from "./batches.ts";

const full = () => new UserError("TOO_MANY_REQUESTS", "full");

Deno.test("batches - what is asked within a moment is one question, up to 1,000 keys and four at once, each with its own answer", async () => {
  const sizes: number[] = [];
  let underWay = 0;
  let most = 0;
  const batches = new Batches<number, number>(async (keys) => {
    sizes.push(keys.length);
    most = Math.max(most, ++underWay);
    await delay(5);
    underWay--;
    return keys.map((key) => key * 2);
  }, full);
  const keys = Array.from({ length: 5_500 }, (_, key) => key);
  assert.deepEqual(await Promise.all(keys.map((key) => batches.load(key))), keys.map((key) => key * 2));
  assert.deepEqual(sizes, [1_000, 1_000, 1_000, 1_000, 1_000, 500]);
  assert.equal(most, 4);
  assert.equal(await batches.load(7), 14);
});

Deno.test("batches - a question that fails does so for all who asked it, and for nobody else", async () => {
  let asked = 0;
  const batches = new Batches<string, string>((keys) => {
    return ++asked === 1 ? Promise.reject(new UserError("SERVICE_UNAVAILABLE", "away")) : Promise.resolve(keys);
  }, full);
  const both = await Promise.allSettled([batches.load("a"), batches.load("b")]);
  assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(await batches.load("c"), "c");
});

Deno.test("batches - no more wait than may, and none for longer than its limit", async () => {
  const batches = new Batches<number, number>(() => new Promise(() => {}), full, 2, 20);
  const [first, second, third] = await Promise.allSettled([1, 2, 3].map((key) => batches.load(key)));
  const codes = [first, second, third].map((one) => one!.status === "rejected" && one!.reason.code);
  assert.deepEqual(codes, ["TIMEOUT", "TIMEOUT", "TOO_MANY_REQUESTS"]);
});
