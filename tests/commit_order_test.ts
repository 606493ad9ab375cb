/** Positions are given in the order of commits, and joins and leaves have their places in that same order. */

import assert from "node:assert/strict";
import { listening, startSystem } from "./helpers/system.ts";
import { User } from "./helpers/client.ts";
import { commitByHand, commitInDatabases, prepareByHand } from "./helpers/participants.ts";

const SUBSCRIPTION =
  "subscription ($topicId: ID, $after: String) { notificationReceived(topicId: $topicId, after: $after) { id message cursor } }";

/** What `user` receives who resumes behind `after`, up to and including the message `last`. */
async function resumed(user: User, after: string | null, last: string): Promise<string[]> {
  using socket = await user.connect();
  const id = socket.subscribe(SUBSCRIPTION, { after });
  await socket.next(({ payload }) => payload?.data?.notificationReceived.message === last);
  return socket.received(id).map((one) => one.message);
}

Deno.test("commit order - one committed late, with an earlier id, is delivered live and found by `after`", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await Promise.all([bob.join(topicId), eve.join(topicId)]);
  using socket = await bob.connect();
  const bobs = socket.subscribe(SUBSCRIPTION);
  await listening(system, 1);

  const first = await ann.send(topicId, "first");
  const late = await prepareByHand(system, ann, topicId, "late");
  const second = await ann.send(topicId, "second");
  const third = await ann.send(topicId, "third");
  assert.deepEqual((await socket.receive(bobs, 3)).map((one) => one.message), ["first", "second", "third"]);

  await commitByHand(system, late);

  // An order by id or by time of creation has it where nobody looks who has already received the third.
  const byId = await system.database("notifications")`select message from notifications order by id`;
  const byTime = await system.database("notifications")`select message from notifications order by created_at`;
  for (const order of [byId, byTime]) {
    assert.deepEqual(order.map((row) => row.message), ["first", "late", "second", "third"]);
  }
  assert.equal((await socket.receive(bobs, 4)).at(-1).id, late);
  for (const user of [bob, eve]) {
    assert.deepEqual(await resumed(user, third.cursor, "late"), ["late"]);
    assert.deepEqual(await resumed(user, second.cursor, "late"), ["third", "late"]);
    assert.deepEqual(await resumed(user, first.cursor, "late"), ["second", "third", "late"]);
    assert.deepEqual(await user.inbox(), ["late", "third", "second", "first"]);
  }
  const page = await bob.get("query ($after: String) { notifications(after: $after) { edges { node { id } } } }", {
    after: third.cursor,
  });
  assert.deepEqual(page.notifications.edges.map((edge: { node: { id: string } }) => edge.node.id), [
    second.id,
    first.id,
  ]);
});

Deno.test("commit order - what was committed before a join isn't received, before a leave is", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await eve.join(topicId);
  const both = await prepareByHand(system, ann, topicId, "prepared before, committed after the join");
  const before = await prepareByHand(system, ann, topicId, "committed before, without a position at the join");

  // With the service frozen nobody but the join itself gives the committed one its position.
  system.signal("SIGSTOP", "notifications");
  await commitInDatabases(system, before);
  await system.database("notifications")`select join_topic(${topicId}, ${bob.id})`;
  await commitInDatabases(system, both);
  await system.database("notifications")`select leave_topic(${topicId}, ${eve.id})`;
  system.signal("SIGCONT", "notifications");
  await ann.send(topicId, "after all that");

  assert.deepEqual(await bob.inbox(), ["after all that", "prepared before, committed after the join"]);
  assert.deepEqual(await eve.inbox(), [
    "prepared before, committed after the join",
    "committed before, without a position at the join",
  ]);
});

Deno.test("commit order - leaving keeps what was received, rejoining begins a second stay, sockets follow at once", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const [topicId, otherId] = await Promise.all([ann.createTopic(), ann.createTopic()]);
  const start = await ann.send(topicId, "before the join");
  using all = await bob.connect();
  using one = await bob.connect();
  const [ofAll, ofOne] = [all.subscribe(SUBSCRIPTION), one.subscribe(SUBSCRIPTION, { topicId })];
  await listening(system, 2);

  await bob.join(otherId);
  for (const stay of ["first", "second"]) {
    await bob.join(topicId);
    await ann.send(topicId, `in the ${stay} stay`);
    await bob.leave(topicId);
    await ann.send(topicId, `after the ${stay} stay`);
  }
  await ann.send(otherId, "elsewhere");
  const received = ["in the first stay", "in the second stay", "elsewhere"];

  const messages = (frames: { message: string }[]) => frames.map((frame) => frame.message);
  await all.next(({ payload }) => payload?.data?.notificationReceived.message === "elsewhere");
  assert.deepEqual(messages(all.received(ofAll)), received);
  assert.deepEqual(messages(one.received(ofOne)), received.slice(0, 2));
  assert.deepEqual(await bob.inbox(), received.toReversed());
  assert.deepEqual(await resumed(bob, start.cursor, "elsewhere"), received);
  const [first] = all.received(ofAll);
  assert.deepEqual(await resumed(bob, first.cursor, "elsewhere"), received.slice(1));
});
