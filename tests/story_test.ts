/** The main job, from the outside: two users, one topic, broadcasts and targeted notifications, live and in the inbox. */

import assert from "node:assert/strict";
import { listening, startSystem } from "./helpers/system.ts";
import { User } from "./helpers/client.ts";

const SUBSCRIPTION =
  "subscription { notificationReceived { id message cursor status topic { id name } from { id email } } }";

Deno.test("story - each user receives exactly what is theirs, live and in the inbox", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic("news");
  await Promise.all([bob.join(topicId), eve.join(topicId)]);
  using atBob = await bob.connect();
  using atEve = await eve.connect();
  const [bobs, eves] = [atBob.subscribe(SUBSCRIPTION), atEve.subscribe(SUBSCRIPTION)];
  await listening(system, 2);

  const toAll = await ann.send(topicId, "to all");
  const toBob = await ann.send(topicId, "to bob", [bob.id]);

  const [first, second] = await atBob.receive(bobs, 2);
  assert.deepEqual(first, {
    id: toAll.id,
    message: "to all",
    cursor: toAll.cursor,
    status: "SENT",
    topic: { id: topicId, name: "news" },
    from: { id: ann.id, email: ann.email },
  });
  assert.equal(second.id, toBob.id);
  await ann.send(topicId, "to all again");
  assert.deepEqual((await atEve.receive(eves, 2)).map((one) => one.message), ["to all", "to all again"]);
  assert.deepEqual(await bob.inbox(), ["to all again", "to bob", "to all"]);
  assert.deepEqual(await eve.inbox(), ["to all again", "to all"]);
  assert.deepEqual(await ann.inbox(), []);
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, 3);
});

Deno.test("story - 100 sends at once by one sender all succeed, in one order for everyone", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await Promise.all([bob.join(topicId), eve.join(topicId)]);
  using atBob = await bob.connect();
  using atEve = await eve.connect();
  const subscription = "subscription ($id: ID) { notificationReceived(topicId: $id) { id } }";
  const [bobs, eves] = [atBob.subscribe(subscription, { id: topicId }), atEve.subscribe(subscription)];
  await listening(system, 2);

  const sent = await Promise.all(Array.from({ length: 100 }, (_, index) => ann.send(topicId, `${index}`)));

  const [atBobs, atEves] = await Promise.all([atBob.receive(bobs, 100), atEve.receive(eves, 100)]);
  assert.deepEqual(atBobs, atEves);
  assert.deepEqual(new Set(atBobs.map((one) => one.id)), new Set(sent.map((one) => one.id)));
  assert.deepEqual(
    (await bob.get("{ notifications(first: 1000) { edges { node { id } } } }")).notifications.edges.map((
      edge: { node: { id: string } },
    ) => edge.node.id).reverse(),
    atBobs.map((one) => one.id),
  );
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, 100);
  assert.deepEqual(await system.prepared(), []);
});
