/** Those who have a page open: how many may, what they get, and what becomes of one that doesn't read. */

import assert from "node:assert/strict";
import { Viewers } from "./viewers.ts";

const decoder = new TextDecoder();

Deno.test("viewers - each gets its first events and then what all get; one that hangs up leaves its place", async () => {
  const viewers = new Viewers();
  const readers = [viewers.open([["points", 1], ["tables", []]]), viewers.open([["points", 2]])].map((stream) =>
    stream.getReader()
  );
  viewers.send(["points", { a: 1 }]);
  const read = async (at: number) => decoder.decode((await readers[at]!.read()).value);
  assert.equal(await read(0), "event: points\ndata: 1\n\nevent: tables\ndata: []\n\n");
  assert.equal(await read(1), "event: points\ndata: 2\n\n");
  for (const at of [0, 1]) assert.equal(await read(at), 'event: points\ndata: {"a":1}\n\n');
  await readers[0]!.cancel();
  assert.equal(viewers.count, 1);
  viewers.close();
  assert.equal((await readers[1]!.read()).done, true);
  assert.throws(() => viewers.open([]), { code: "SERVICE_UNAVAILABLE", message: "this process is stopping" });
});

Deno.test("viewers - twenty, and no more", async () => {
  const viewers = new Viewers();
  const streams = Array.from({ length: 20 }, () => viewers.open([["points", 1]]));
  assert.throws(() => viewers.open([]), (error: { extensions: unknown }) => {
    assert.deepEqual(error.extensions, { code: "SERVICE_UNAVAILABLE", retryAfterSeconds: 10 });
    return true;
  });
  await streams[3]!.cancel();
  viewers.open([]);
});

Deno.test("viewers - one that doesn't read is cut off, the others go on; at the stop nobody is waited for", async () => {
  const viewers = new Viewers();
  let cut = 0;
  const slow = viewers.open([], () => cut++);
  const good = viewers.open([["points", "first"]]).getReader();
  const text = "x".repeat(300_000);
  for (let times = 0; times < 5; times++) {
    viewers.send(["tables", text]);
    await good.read();
  }
  assert.equal(cut, 1);
  assert.equal(viewers.count, 1);
  await assert.rejects(slow.getReader().read(), /reads too slowly/);

  const waiting = viewers.open([], () => cut++);
  viewers.send(["tables", text]);
  viewers.close();
  assert.equal(cut, 2);
  await assert.rejects(waiting.getReader().read(), /reads too slowly/);
});
