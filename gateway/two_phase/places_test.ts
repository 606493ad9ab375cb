import assert from "node:assert/strict";
import { Places } from "./places.ts";

Deno.test("places - as many as there are at once, the next in the order in which they came", async () => {
  const places = new Places(() => 2, 10);
  const came: number[] = [];
  const take = (who: number) => places.take(1_000).then(() => came.push(who));
  await Promise.all([take(1), take(2)]);
  const waiting = [take(3), take(4)];
  await Promise.resolve();
  assert.deepEqual(came, [1, 2]);
  places.giveBack();
  await waiting[0];
  assert.deepEqual(came, [1, 2, 3]);
  places.giveBack();
  await waiting[1];
  assert.deepEqual(came, [1, 2, 3, 4]);
});

Deno.test("places - who waits too long, and who finds too many waiting, is told TOO_MANY_REQUESTS and when to come again", async () => {
  const places = new Places(() => 1, 1);
  await places.take(1_000);
  const late = places.take(20);
  await assert.rejects(places.take(1_000), { code: "TOO_MANY_REQUESTS" });
  await assert.rejects(late, (error: { code: string; extensions: { retryAfterSeconds: number } }) => {
    return error.code === "TOO_MANY_REQUESTS" && error.extensions.retryAfterSeconds === 1;
  });
  assert.equal(places.refused, 2);
  places.giveBack();
  await places.take(20);
  assert.equal(places.refused, 2);
});

Deno.test("places - fewer when more gateways share the databases, and more again afterwards", async () => {
  let atOnce = 2;
  const places = new Places(() => atOnce, 10);
  await Promise.all([places.take(100), places.take(100)]);
  atOnce = 1;
  const third = places.take(1_000);
  places.giveBack();
  let came = false;
  void third.then(() => came = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(came, false);
  places.giveBack();
  await third;
});
