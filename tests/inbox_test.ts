/** What people expect of an inbox, from the outside: acknowledging one or all, taking back, what the sender sees, and who may ask. */

import assert from "node:assert/strict";
import { User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

const ACKNOWLEDGE_ALL = "mutation ($topicId: ID, $upTo: String) { acknowledgeAll(topicId: $topicId, upTo: $upTo) }";
const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id status } }";
const RETRACT = "mutation ($id: ID!) { retractNotification(id: $id) }";
const ONE =
  "query ($id: ID!) { notification(id: $id) { id message status recipientCount seenCount topic { id } from { id } } }";
const UNSEEN = "query ($topicId: ID) { unseenCount(topicId: $topicId) }";

async function unseen(user: User, topicId?: string): Promise<number> {
  return (await user.get(UNSEEN, { topicId })).unseenCount;
}

Deno.test("inbox - acknowledging one, some or all up to a cursor: counts, statuses and what the sender is told", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const [topicId, otherId] = await Promise.all([ann.createTopic(), ann.createTopic()]);
  await Promise.all([bob.join(topicId), eve.join(topicId), bob.join(otherId)]);
  const first = await ann.send(topicId, "first");
  const toBob = await ann.send(topicId, "to bob", [bob.id]);
  const third = await ann.send(topicId, "third");
  const elsewhere = await ann.send(otherId, "elsewhere");
  assert.deepEqual([await unseen(bob), await unseen(bob, topicId), await unseen(eve)], [4, 3, 2]);

  const ids = [third.id, toBob.id];
  const acknowledged = ids.map((id) => ({ id, status: "SEEN" }));
  for (const _ of [1, 2]) {
    assert.deepEqual((await bob.get(ACKNOWLEDGE, { ids })).acknowledgeNotifications, acknowledged);
    assert.deepEqual([await unseen(bob), await unseen(bob, topicId)], [2, 1]);
  }
  // One that he didn't receive: then none is acknowledged.
  assert.equal(await eve.code(ACKNOWLEDGE, { ids: [first.id, toBob.id] }), "NOT_FOUND");
  assert.equal(await unseen(eve), 2);
  const many = Array.from({ length: 1_001 }, () => crypto.randomUUID());
  assert.equal(await bob.code(ACKNOWLEDGE, { ids: many }), "BAD_USER_INPUT");

  assert.equal((await eve.get(ACKNOWLEDGE_ALL, { upTo: first.cursor })).acknowledgeAll, 1);
  assert.equal((await eve.get(ACKNOWLEDGE_ALL, { topicId: otherId })).acknowledgeAll, 0);
  assert.equal((await bob.get(ACKNOWLEDGE_ALL, { topicId })).acknowledgeAll, 1);
  assert.equal((await bob.get(ACKNOWLEDGE_ALL)).acknowledgeAll, 1);
  assert.equal((await bob.get(ACKNOWLEDGE_ALL)).acknowledgeAll, 0);
  assert.equal(await unseen(bob), 0);
  assert.equal(await bob.code(ACKNOWLEDGE_ALL, { topicId: crypto.randomUUID() }), "NOT_FOUND");
  assert.equal(await bob.code(ACKNOWLEDGE_ALL, { upTo: "x" }), "BAD_USER_INPUT");

  const { sentNotifications } = await ann.get(
    "{ sentNotifications { edges { node { id status recipientCount seenCount } } pageInfo { hasNextPage } } }",
  );
  const sent = sentNotifications.edges.map(({ node }: { node: Record<string, unknown> }) => node);
  assert.deepEqual(sent, [
    { id: elsewhere.id, status: "SENT", recipientCount: 1, seenCount: 1 },
    { id: third.id, status: "SENT", recipientCount: 2, seenCount: 1 },
    { id: toBob.id, status: "SENT", recipientCount: 1, seenCount: 1 },
    { id: first.id, status: "SENT", recipientCount: 2, seenCount: 2 },
  ]);
  const page = await ann.get(
    "query ($id: ID, $after: String) { sentNotifications(topicId: $id, first: 1, after: $after) { edges { node { id } } pageInfo { hasNextPage } } }",
    { id: topicId, after: third.cursor },
  );
  assert.deepEqual(page.sentNotifications, { edges: [{ node: { id: toBob.id } }], pageInfo: { hasNextPage: true } });
  const answer = await ann.get(
    'mutation ($id: ID!) { sendNotification(topicId: $id, message: "counted") { recipientCount seenCount } }',
    { id: topicId },
  );
  assert.deepEqual(answer.sendNotification, { recipientCount: 2, seenCount: 0 });
});

Deno.test("inbox - one notification is for its receivers and its sender; its counts are for the sender", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const { id } = await ann.send(topicId, "hello");
  const expected = { id, message: "hello", status: "SENT", topic: { id: topicId }, from: { id: ann.id } };
  assert.deepEqual((await ann.get(ONE, { id })).notification, { ...expected, recipientCount: 1, seenCount: 0 });
  assert.deepEqual((await bob.get(ONE, { id })).notification, { ...expected, recipientCount: null, seenCount: null });
  for (const unknown of [id, "none", crypto.randomUUID()]) {
    assert.deepEqual(await eve.get(ONE, { id: unknown }), { notification: null });
  }
});

Deno.test("inbox - a notification that its sender takes back is gone for everybody, again is fine, nobody else may", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const [kept, broadcast, targeted] = [
    await ann.send(topicId, "kept"),
    await ann.send(topicId, "a mistake"),
    await ann.send(topicId, "another", [bob.id]),
  ];
  await bob.get(ACKNOWLEDGE, { ids: [broadcast.id] });
  assert.equal(await bob.code(RETRACT, { id: broadcast.id }), "FORBIDDEN");
  assert.equal(await eve.code(RETRACT, { id: broadcast.id }), "NOT_FOUND");
  for (const { id } of [broadcast, targeted, broadcast, targeted]) {
    assert.equal((await ann.get(RETRACT, { id })).retractNotification, true);
  }
  assert.deepEqual(await bob.inbox(), ["kept"]);
  assert.equal(await unseen(bob), 1);
  assert.equal(await bob.code(ACKNOWLEDGE, { ids: [kept.id, targeted.id] }), "NOT_FOUND");
  for (const user of [ann, bob]) assert.deepEqual(await user.get(ONE, { id: broadcast.id }), { notification: null });
  assert.equal((await bob.get(ACKNOWLEDGE_ALL)).acknowledgeAll, 1);
  assert.equal(await ann.code(RETRACT, { id: crypto.randomUUID() }), "NOT_FOUND");
});
