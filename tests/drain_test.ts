/** The stop of a gateway, seen from its sockets: sent elsewhere in batches, with the answers that they wait for. */

import assert from "node:assert/strict";
import { SECOND } from "../kit/time.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { startSocketServer } from "./helpers/socket_server.ts";

const WAIT = { query: "mutation { wait(ms: 700) }" };

Deno.test("drain - 300 sockets are closed with 1012, spread over batches, and a mutation has its answer first", async () => {
  await using server = await startSocketServer({
    NOTIFYX_DRAIN_BATCH: "50",
    NOTIFYX_DRAIN_INTERVAL_MS: "200",
    NOTIFYX_STOP_SECONDS: "10",
  });
  const url = server.graphqlUrl;
  const sockets = await Promise.all(
    Array.from({ length: 300 }, (_, n) => RawSocket.open(url, `user ${n}`.replace(" ", "-"))),
  );
  const [busy, gone] = [await RawSocket.open(url, "busy"), await RawSocket.open(url, "gone")];
  const silent = await RawSocket.open(url, "silent", { echoes: false });
  for (const socket of sockets) {
    await socket.send({ id: "1", type: "subscribe", payload: { query: "subscription { events }" } });
  }
  for (const socket of [busy, gone]) await socket.send({ id: "m", type: "subscribe", payload: WAIT });
  // Its mutation goes on without it.
  await gone.send({ type: "ping" });
  await gone.until(() => gone.messages.some(({ type }) => type === "pong"));
  gone[Symbol.dispose]();
  const startedAt = Date.now();
  server.stop();
  const times: number[] = [];
  await Promise.all(sockets.map(async ({ closed }) => {
    const { code, reason } = await closed;
    assert.deepEqual([code, reason], [1012, "restarting"]);
    times.push(Date.now() - startedAt);
  }));
  assert.equal((await busy.closed).code, 1012);
  assert.deepEqual(busy.messages.filter(({ id }) => id === "m").map(({ type }) => type), ["next", "complete"]);
  assert.equal((await silent.closed).code, 1012);
  // 303 in batches of 50, each within 200 ms.
  for (let from = 0; from < 1_200; from += 200) {
    const closed = times.filter((time) => time < from + 200).length;
    assert.ok(closed <= from / 4 + 50 + 1, `${closed} were closed within ${from + 200} ms`);
  }
  assert.equal(await server.exitCode(), 0);
  assert.match(server.output, /^mutations 2$/m);
  assert.doesNotMatch(server.output, /cut off/);
});

Deno.test("drain - what would not end in time goes faster, and what never ends is cut off", async () => {
  await using server = await startSocketServer({
    NOTIFYX_DRAIN_BATCH: "1",
    NOTIFYX_DRAIN_INTERVAL_MS: "1000",
    NOTIFYX_STOP_SECONDS: "2",
  });
  const sockets = await Promise.all(Array.from({ length: 20 }, () => RawSocket.open(server.graphqlUrl)));
  const endless = await RawSocket.open(server.graphqlUrl);
  await endless.send({ id: "m", type: "subscribe", payload: { query: "mutation { wait(ms: 60000) }" } });
  const startedAt = Date.now();
  server.stop();
  for (const { closed } of sockets) assert.equal((await closed).code, 1012);
  assert.ok(Date.now() - startedAt < 1.9 * SECOND);
  assert.equal((await endless.closed).code, 1006);
  await server.exitCode();
  assert.ok(Date.now() - startedAt < 4 * SECOND);
});
