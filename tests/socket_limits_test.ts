/** What a socket, a user, an address and a gateway may have: each limit is met, counted, and let go of again. */

import assert from "node:assert/strict";
import { SECOND, withTimeLimit } from "../kit/time.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { type SocketServer, startSocketServer } from "./helpers/socket_server.ts";
import { until } from "./helpers/system.ts";

const SUBSCRIPTION = "subscription { events }";
const WAIT = "mutation ($ms: Int!) { wait(ms: $ms) }";

const limited = (server: SocketServer, kind: string) => server.metric(`notifyx_delivery_limited_total{kind="${kind}"}`);
const closeOf = async ({ closed }: RawSocket) => {
  const { code, reason } = await withTimeLimit("the close", 5 * SECOND, closed);
  return [code, reason];
};
const subscribe = (socket: RawSocket, id: string, query = SUBSCRIPTION, variables = {}) =>
  socket.send({ id, type: "subscribe", payload: { query, variables } });
const endOf = async (socket: RawSocket, id: string) => {
  const ends = (message: { id?: string; type: string }) => message.id === id && message.type !== "next";
  await socket.until(() => socket.messages.some(ends));
  return socket.messages.find(ends)!;
};

Deno.test("limits - of a gateway, an address and a user", async () => {
  await using server = await startSocketServer({
    NOTIFYX_SOCKETS: "8",
    NOTIFYX_SOCKETS_PER_ADDRESS: "6",
    NOTIFYX_SOCKETS_PER_USER: "3",
  });
  const url = server.graphqlUrl;
  const open = async (token?: string) => await RawSocket.open(url, token);
  const sockets = await Promise.all(["ann", "ann", "ann", "bob"].map(open));
  const fourth = await RawSocket.connect(url);
  await fourth.send({ type: "connection_init", payload: { authorization: "Bearer ann" } });
  assert.deepEqual(await closeOf(fourth), [1013, "too many sockets"]);
  assert.equal(await limited(server, "sockets_per_user"), 1);
  // One of hers ends: there is room again. Strangers are not one user.
  sockets[0]![Symbol.dispose]();
  await until("it is closed", async () => await server.metric("notifyx_delivery_sockets") === 3);
  sockets.push(await open("ann"), await open(), await open());
  assert.equal(await server.metric("notifyx_delivery_sockets"), 6);
  const refused = await RawSocket.connect(url);
  assert.equal(refused.status, 429);
  assert.match(refused.head, /^retry-after: \d+\r$/m);
  assert.match(refused.head, /"code":"RATE_LIMITED"/);
  assert.equal(await limited(server, "sockets_per_address"), 1);
  for (const socket of sockets) socket[Symbol.dispose]();
  await until("all are closed", async () => await server.metric("notifyx_delivery_sockets") === 0);
  // An upgrade that is no handshake takes no place for good.
  for (let count = 0; count < 10; count++) {
    const none = await RawSocket.connect(url, { headers: "Sec-WebSocket-Version: 7\r\n" });
    assert.notEqual(none.status, 101);
    none[Symbol.dispose]();
  }
  using last = await open("ann");
  assert.equal(last.status, 101);
});

Deno.test("limits - of all sockets: who comes then is told to come later", async () => {
  await using server = await startSocketServer({ NOTIFYX_SOCKETS: "2" });
  using _first = await RawSocket.connect(server.graphqlUrl);
  using _second = await RawSocket.connect(server.graphqlUrl);
  using third = await RawSocket.connect(server.graphqlUrl);
  assert.equal(third.status, 503);
  assert.match(third.head, /^retry-after: \d+\r$/m);
  assert.match(third.head, /"code":"TOO_MANY_REQUESTS"/);
  assert.equal(await limited(server, "sockets"), 1);
});

Deno.test("limits - of operations and messages; by default 200 mutations at once are fine", async (t) => {
  await using server = await startSocketServer();
  const url = server.graphqlUrl;

  await t.step("200 sends", async () => {
    using socket = await RawSocket.open(url, "ann");
    const ids = Array.from({ length: 200 }, (_, index) => `${index}`);
    await Promise.all(ids.map((id) => subscribe(socket, id, WAIT, { ms: 0 })));
    for (const id of ids) assert.equal((await endOf(socket, id)).type, "complete");
  });

  await t.step("100 operations at once", async () => {
    using socket = await RawSocket.open(url, "ann");
    for (let count = 0; count < 100; count++) await subscribe(socket, `${count}`);
    await subscribe(socket, "one too many");
    const { type, payload } = await endOf(socket, "one too many");
    assert.deepEqual([type, payload[0].extensions.code], ["error", "RATE_LIMITED"]);
    await socket.send({ type: "complete", id: "0" });
    await subscribe(socket, "instead");
    await socket.send({ type: "ping" });
    await socket.until(() => socket.messages.some(({ type }) => type === "pong"));
    await server.publish(0, 1);
    await socket.until(() => socket.messages.filter(({ type }) => type === "next").length === 100);
    assert.equal(await limited(server, "operations"), 1);
  });

  await t.step("messages: refused beyond the burst, closed far beyond", async () => {
    using socket = await RawSocket.open(url, "ann");
    const all: Promise<void>[] = [];
    for (let count = 0; count < 400; count++) all.push(subscribe(socket, `${count}`, "{ hello }"));
    await Promise.all(all);
    const { type, payload } = await endOf(socket, "399");
    assert.deepEqual([type, payload[0].extensions.code], ["error", "RATE_LIMITED"]);
    assert.ok(payload[0].extensions.retryAfterSeconds >= 1);
    assert.equal((await endOf(socket, "100")).type, "complete");
    for (let count = 0; count < 2_000 && !socket.isClosed; count++) await socket.send({ type: "ping" });
    assert.deepEqual(await closeOf(socket), [1013, "too many messages"]);
    assert.ok(await limited(server, "messages") > 100);
  });
});

Deno.test("limits - NOTIFYX_LIMITS=off: none by user, address and socket, which is said at the start", async () => {
  await using server = await startSocketServer({
    NOTIFYX_LIMITS: "off",
    NOTIFYX_SOCKETS_PER_USER: "1",
    NOTIFYX_SOCKETS_PER_ADDRESS: "1",
    NOTIFYX_SOCKET_SUBSCRIPTIONS: "1",
    NOTIFYX_SOCKET_MESSAGES_PER_SECOND: "1",
    NOTIFYX_SOCKET_MESSAGES_BURST: "1",
    NOTIFYX_SOCKETS: "3",
  });
  const sockets = [await RawSocket.open(server.graphqlUrl, "ann"), await RawSocket.open(server.graphqlUrl, "ann")];
  for (const socket of sockets) {
    for (const id of ["1", "2", "3"]) await subscribe(socket, id);
    await socket.send({ type: "ping" });
    await socket.until(() => socket.messages.some(({ type }) => type === "pong"));
    assert.equal(socket.messages.some(({ type }) => type === "error"), false);
  }
  await RawSocket.connect(server.graphqlUrl);
  assert.equal((await RawSocket.connect(server.graphqlUrl)).status, 503);
  const warnings = server.output.split("\n").filter((line) => line.includes("NOTIFYX_LIMITS"));
  assert.equal(warnings.length, 1);
  assert.equal(JSON.parse(warnings[0]!).level, "warning");
});
