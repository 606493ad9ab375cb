/** idempotencyKey: one key, one notification, on whichever gateway and however often it is asked. */

import assert from "node:assert/strict";
import { startSystem, until } from "./helpers/system.ts";
import { graphql, User } from "./helpers/client.ts";

const SEND = `mutation ($topicId: ID!, $message: String!, $key: String) {
  sendNotification(topicId: $topicId, message: $message, idempotencyKey: $key) { id message cursor createdAt }
}`;

Deno.test("idempotency - the same key gives the first one's notification, one after the other and at once, on two gateways", async () => {
  await using system = await startSystem({ counts: { gateway: 2 } });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const send = (key: string, message = "once", gateway = 0) =>
    graphql(`${system.url("gateway", gateway)}/graphql`, SEND, { topicId, message, key }, ann.token);

  const first = await send("one");
  assert.equal(first.errors, undefined);
  assert.deepEqual((await send("one")).data, first.data);
  assert.deepEqual((await send("one", "once", 1)).data, first.data);

  const atOnce = await Promise.all(Array.from({ length: 20 }, (_, index) => send("two", "once", index % 2)));
  assert.deepEqual(new Set(atOnce.map(({ data }) => data?.sendNotification.id)).size, 1, JSON.stringify(atOnce));

  const other = await send("one", "another input");
  assert.equal(other.errors?.[0]?.extensions.code, "CONFLICT");
  assert.equal((await send("")).errors?.[0]?.extensions.code, "BAD_USER_INPUT");
  assert.equal((await send("x".repeat(201))).errors?.[0]?.extensions.code, "BAD_USER_INPUT");

  // Another user's key of the same text is another key.
  const topicOfBob = await bob.createTopic();
  const ofBob = await bob.get(SEND, { topicId: topicOfBob, message: "once", key: "one" });
  assert.notEqual(ofBob.sendNotification.id, first.data.sendNotification.id);

  assert.deepEqual(await bob.inbox(), ["once", "once"]);
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, 2);
});

Deno.test("idempotency - a key whose attempt was aborted is free again, for another input too", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  system.signal("SIGSTOP", "counter");
  const aborted = await ann.ask(SEND, { topicId, message: "first try", key: "k" });
  assert.equal(aborted.errors?.[0]?.extensions.code, "TRANSACTION_ABORTED");
  system.signal("SIGCONT", "counter");

  const second = await ann.get(SEND, { topicId, message: "second try", key: "k" });
  assert.equal(second.sendNotification.message, "second try");
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, 1);
  await until("nothing is prepared", async () => (await system.prepared()).length === 0, 15_000);
});

Deno.test("idempotency - a key whose attempt found the system full is free at once", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  system.signal("SIGSTOP", "counter");
  const keys = Array.from({ length: 400 }, (_, index) => `${index}`);
  const codes = await Promise.all(keys.map((key) => ann.code(SEND, { topicId, message: "full", key })));
  system.signal("SIGCONT", "counter");
  const refused = keys.filter((_, index) => codes[index] === "TOO_MANY_REQUESTS").slice(0, 10);
  assert.equal(refused.length, 10, JSON.stringify(codes));

  await until("sending works again", async () => await ann.code(SEND, { topicId, message: "again" }) === undefined);
  const began = Date.now();
  await Promise.all(refused.map((key) => ann.get(SEND, { topicId, message: "full", key })));
  assert.ok(Date.now() - began < 2_000, `it took ${Date.now() - began} ms`);
});

Deno.test("idempotency - a key that a gateway left without a decision is told the truth by the next", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  const decisions = system.database("gateway");
  const [left, done] = [crypto.randomUUID(), crypto.randomUUID()];
  const { id } = await ann.send(topicId, "done");
  const fingerprint = async (message: string) => {
    const text = JSON.stringify({ topicId, message, to: [] });
    return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toBase64();
  };
  const plant = async (key: string, message: string, transaction: string) =>
    await decisions`insert into idempotency_keys (user_id, key, fingerprint, transaction_id)
      values (${ann.id}, ${key}, ${await fingerprint(message)}, ${transaction})`;
  await plant(left, "left", crypto.randomUUID());
  await plant(done, "done", id);

  assert.equal((await ann.get(SEND, { topicId, message: "done", key: done })).sendNotification.id, id);
  const again = await ann.get(SEND, { topicId, message: "left", key: left });
  assert.ok(again.sendNotification.cursor);
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, 2);
});
