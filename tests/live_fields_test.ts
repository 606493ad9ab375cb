/** What a subscription may ask for beyond the event itself: what is for its sender alone, and what another service knows and can't say. */

import assert from "node:assert/strict";
import { Socket, User } from "./helpers/client.ts";
import { commitByHand, commitInDatabases, prepareByHand } from "./helpers/participants.ts";
import { listening, metric, startSystem, until } from "./helpers/system.ts";

const AWAY = ["SERVICE_UNAVAILABLE", "TIMEOUT"];

/** The payloads of an operation so far. */
// deno-lint-ignore no-explicit-any -- whatever the test asked for
function payloads(socket: Socket, id: string): any[] {
  return socket.frames.filter((frame) => frame.id === id && frame.type === "next").map(({ payload }) => payload);
}

async function received(socket: Socket, id: string, count: number, limitMs?: number) {
  await until(`${count} results`, () => payloads(socket, id).length >= count, limitMs);
  return payloads(socket, id);
}

Deno.test("live fields - counts for the sender, subscribers for the creator, and null for others", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  for (const user of [ann, bob]) await user.join(topicId);
  const subscription = `subscription { notificationReceived {
    message recipientCount seenCount topic { subscribed subscriberCount subscribers { edges { node { email sentCount } } } }
  } }`;
  using atAnn = await ann.connect();
  using atBob = await bob.connect();
  const [anns, bobs] = [atAnn.subscribe(subscription), atBob.subscribe(subscription)];
  const mixed = atAnn.subscribe(
    "subscription ($id: ID!) { notificationAcknowledged(topicId: $id) { by { email sentCount } notification { recipientCount seenCount } } }",
    { id: topicId },
  );
  await listening(system, 3);

  const { id } = await ann.send(topicId, "hello");
  const topic = { subscribed: true, subscriberCount: 2 };
  const [{ data, errors }] = await received(atAnn, anns, 1);
  assert.equal(errors, undefined);
  const edges = data.notificationReceived.topic.subscribers.edges as { node: { email: string } }[];
  assert.deepEqual(edges.map(({ node }) => node.email).sort(), [ann.email, bob.email].sort());
  assert.deepEqual(data.notificationReceived, {
    message: "hello",
    recipientCount: 2,
    seenCount: 0,
    topic: { ...topic, subscribers: { edges } },
  });
  assert.deepEqual(await received(atBob, bobs, 1), [{
    data: {
      notificationReceived: {
        message: "hello",
        recipientCount: null,
        seenCount: null,
        topic: { ...topic, subscribers: null },
      },
    },
  }]);

  await bob.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: [id] });
  assert.deepEqual(await received(atAnn, mixed, 1), [{
    data: {
      notificationAcknowledged: {
        by: { email: bob.email, sentCount: 0 },
        notification: { recipientCount: 2, seenCount: 1 },
      },
    },
  }]);
});

Deno.test("live fields - a service that is frozen takes its own fields; events come in their order, and others' at once", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const prepared: string[] = [];
  for (const message of ["1", "2", "3"]) prepared.push(await prepareByHand(system, ann, topicId, message));
  using socket = await bob.connect();
  const counting = socket.subscribe("subscription { notificationReceived { id message from { email sentCount } } }");
  const plain = socket.subscribe("subscription { notificationReceived { id message from { email } } }");
  await listening(system, 2);

  // Without counter nothing can be sent: what was prepared before is committed now.
  system.signal("SIGSTOP", "counter");
  for (const id of prepared) await commitInDatabases(system, id);
  await system.database("notifications")`select number_pending()`;

  await received(socket, plain, 3);
  assert.deepEqual(payloads(socket, counting), []);
  const results = await received(socket, counting, 3, 15_000);
  const order = payloads(socket, plain).map(({ data }) => data.notificationReceived.id);
  assert.deepEqual(results.map(({ data }) => data.notificationReceived.id), order);
  for (const { data, errors } of results) {
    assert.deepEqual(data.notificationReceived.from, { email: ann.email, sentCount: null });
    assert.deepEqual(errors.map((error: { path: unknown }) => error.path), [[
      "notificationReceived",
      "from",
      "sentCount",
    ]]);
    assert.ok(AWAY.includes(errors[0].extensions.code), errors[0].extensions.code);
  }

  system.signal("SIGCONT", "counter");
  await system.allReady();
  await ann.send(topicId, "counted again");
  const last = (await received(socket, counting, 4, 15_000))[3];
  assert.deepEqual(last.data.notificationReceived.from, { email: ann.email, sentCount: 4 });
});

Deno.test("live fields - what is on its way names its topic still when that is deleted", async () => {
  const lines: string[] = [];
  await using system = await startSystem({ onLine: (name, line) => name === "gateway" && lines.push(line) });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const name = `news ${crypto.randomUUID()}`;
  const topicId = await ann.createTopic(name);
  await bob.join(topicId);
  using socket = await bob.connect();
  const id = socket.subscribe("subscription { notificationReceived { message topic { name createdBy { email } } } }");
  await listening(system, 1);
  const prepared = await prepareByHand(system, ann, topicId, "the last");
  // As deleteTopic does, but for the announcement, which comes behind the notification.
  await system.database("notifications")`update topics set deleted_at = now() where id = ${topicId}`;
  await commitByHand(system, prepared);
  const notificationReceived = { message: "the last", topic: { name, createdBy: { email: ann.email } } };
  assert.deepEqual(await received(socket, id, 1), [{ data: { notificationReceived } }]);
  assert.deepEqual(lines.filter((line) => line.includes('"level":"error"')), []);
});

Deno.test("live fields - who shares what: the same values of variables, and fields that are always there", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using socket = await bob.connect();
  const subscription = `subscription ($first: Int = 2, $after: String, $more: Boolean! = false) {
    notificationReceived(after: $after) { id message @include(if: $more) topic { subscribers(first: $first) { edges { cursor } } } }
  }`;
  const groups = () => metric(system.url(), "notifyx_delivery_groups");
  const { cursor } = await ann.send(topicId, "before");
  const kinds: [Record<string, unknown>, number][] = [
    [{}, 1],
    [{ first: 2 }, 1],
    [{ first: 2, after: cursor, more: false }, 1],
    [{ first: null }, 2],
    [{ first: 3 }, 3],
    [{ first: 3, more: true }, 4],
  ];
  for (const [variables, expected] of kinds) {
    const before = await metric(system.url(), "notifyx_delivery_listeners");
    socket.subscribe(subscription, variables);
    await listening(system, before + 1);
    assert.equal(await groups(), expected, JSON.stringify(variables));
  }
  const nested = `${"... { ".repeat(30)} ...F ${"}".repeat(30)}`;
  const deep = socket.subscribe(
    `subscription { ${nested} } fragment F on Subscription { notificationReceived { message } }`,
  );
  await listening(system, kinds.length + 1);
  await ann.send(topicId, "through fragments");
  assert.deepEqual(await socket.receive(deep, 1), [{ message: "through fragments" }]);
  for (
    const document of [
      "subscription { notificationReceived @skip(if: true) { id } }",
      "subscription ($no: Boolean!) { notificationReceived @include(if: $no) { id } }",
      "subscription { ... @include(if: false) { notificationReceived { id } } }",
    ]
  ) {
    const id = socket.subscribe(document, { no: false });
    const { type, payload } = await socket.next((frame) => frame.id === id);
    assert.deepEqual([type, payload[0]?.extensions.code], ["error", "BAD_USER_INPUT"], document);
  }
});
