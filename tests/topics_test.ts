/** Topics from the outside: who sees one that is INVITE, what its creator reads of others, and what is left of one that was deleted. */

import assert from "node:assert/strict";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { Answers } from "./helpers/answers.ts";
import { graphql, User } from "./helpers/client.ts";
import { type Operation, operationsWithIds } from "./helpers/operations.ts";
import { listening, startSystem, type System } from "./helpers/system.ts";

const CREATE =
  "mutation ($name: String!, $visibility: TopicVisibility) { createTopic(name: $name, visibility: $visibility) { id } }";
const INVITE =
  "mutation ($id: ID!, $users: [ID!]!) { inviteToTopic(topicId: $id, userIds: $users) { id visibility subscriberCount } }";
const REMOVE =
  "mutation ($id: ID!, $user: ID!) { removeSubscriber(topicId: $id, userId: $user) { subscriberCount subscribers { edges { node { email } } } } }";
const DELETE = "mutation ($id: ID!) { deleteTopic(topicId: $id) }";

Deno.test("topics - an INVITE topic isn't there for others, whatever they ask", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const name = `hidden ${crypto.randomUUID()}`;
  const id = (await ann.get(CREATE, { name, visibility: "INVITE" })).createTopic.id as string;
  const unknown = crypto.randomUUID();
  const operations = await operationsOf(system, unknown);

  const assertHiddenFrom = async (user: User) => {
    for (const operation of operations) {
      const what = `${operation.kind} ${operation.field}(${operation.argument})`;
      const answer = await ask(user, operation, id);
      assert.deepEqual(answer, await ask(user, operation, unknown), what);
      if (operation.argument === "topicId") assert.match(answer, /"code":"NOT_FOUND"/, what);
    }
    assert.deepEqual(await user.get("query ($name: String) { topic(name: $name) { id } }", { name }), { topic: null });
    for (const search of [null, "HIDDEN"]) {
      for (const subscribed of [null, false, true]) {
        const { topics } = await user.get(
          "query ($search: String, $subscribed: Boolean) { topics(search: $search, subscribed: $subscribed) { edges { node { id } } } }",
          { search, subscribed },
        );
        assert.deepEqual(topics.edges, []);
      }
    }
    // What alone tells: names are one space.
    assert.equal(await user.code(CREATE, { name: name.toUpperCase() }), "CONFLICT");
  };

  await t.step("every operation that takes a topic's id is among those that are tried", () => {
    const fields = operations.filter(({ argument }) => argument === "topicId").map(({ field }) => field);
    for (const field of ["notifications", "unseenCount", "sendNotification", "deleteTopic", "notificationReceived"]) {
      assert.ok(fields.includes(field), field);
    }
    assert.ok(operations.some(({ field, argument }) => field === "topic" && argument === "id"));
  });

  await t.step("without a session each of them is UNAUTHENTICATED", async () => {
    for (const { kind, field, document, variables } of operations) {
      if (kind === "subscription") continue;
      const { errors } = await graphql(system.graphqlUrl, document, variables(id));
      assert.equal(errors?.[0]?.extensions.code, "UNAUTHENTICATED", field);
    }
  });

  await t.step("for a stranger each of them answers as for a topic that doesn't exist", () => assertHiddenFrom(bob));

  await t.step("the invited see it, join it and receive; its creator sees who is there", async () => {
    const invited = (await ann.get(INVITE, { id, users: [eve.id] })).inviteToTopic;
    assert.deepEqual(invited, { id, visibility: "INVITE", subscriberCount: 0 });
    await eve.join(id);
    using socket = await eve.connect();
    const subscription = "subscription ($id: ID) { notificationReceived(topicId: $id) { message topic { name } } }";
    const eves = socket.subscribe(subscription, { id });
    await listening(system, 1);
    await ann.send(id, "the first");
    assert.deepEqual(await socket.receive(eves, 1), [{ message: "the first", topic: { name } }]);
    const found =
      "query ($id: ID, $search: String) { topic(id: $id) { subscribed createdBy { email } subscribers { edges { cursor } } }" +
      " topics(search: $search, subscribed: true) { edges { node { name } } } }";
    assert.deepEqual(await eve.get(found, { id, search: "hidden" }), {
      topic: { subscribed: true, createdBy: { email: ann.email }, subscribers: null },
      topics: { edges: [{ node: { name } }] },
    });
    assert.deepEqual(await eve.inbox(), ["the first"]);
    await ann.send(id, "the second");
    assert.equal(await eve.code(INVITE, { id, users: [bob.id] }), "FORBIDDEN");
  });

  await t.step("it is not there for one who was removed; what they received stays theirs", async () => {
    const { removeSubscriber } = await ann.get(REMOVE, { id, user: eve.id });
    assert.deepEqual(removeSubscriber, { subscriberCount: 0, subscribers: { edges: [] } });
    await assertHiddenFrom(eve);
    const { notifications } = await eve.get("{ notifications { edges { node { message topic { name } } } } }");
    assert.deepEqual(notifications.edges.map((edge: { node: unknown }) => edge.node), [
      { message: "the second", topic: { name } },
      { message: "the first", topic: { name } },
    ]);
  });

  await t.step("for its creator each of them knows it", async () => {
    const last = operations.filter(({ field }) => field === "deleteTopic");
    for (const operation of [...operations.filter((one) => !last.includes(one)), ...last]) {
      if (operation.argument !== "topicId" || operation.kind === "subscription") continue;
      assert.doesNotMatch(await ask(ann, operation, id), /NOT_FOUND/, operation.field);
    }
    await assertGone(ann, id, name);
  });

  assert.ok(await answers.check() > 50);
});

Deno.test("topics - their creator reads addresses and counts of subscribers of many topics at once", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const ids = [await ann.createTopic(), await ann.createTopic(), await ann.createTopic()];
  for (const id of ids) await bob.join(id);
  const bobs = await bob.createTopic();
  await ann.join(bobs);
  await bob.send(bobs, "hello");
  const query = `query ($first: Int, $after: String) {
    topics(first: 10) { edges { node { id createdBy { email } subscribers(first: $first, after: $after) { edges { node { id email sentCount } cursor } pageInfo { hasNextPage endCursor } } } } }
  }`;
  const read = async (variables?: unknown) => {
    const { topics } = await ann.get(query, variables);
    // deno-lint-ignore no-explicit-any -- whatever the query asks for
    return new Map<string, any>(topics.edges.map(({ node }: { node: { id: string } }) => [node.id, node]));
  };

  const few = await read();
  for (const id of ids) {
    assert.equal(few.get(id).createdBy.email, ann.email);
    assert.deepEqual(few.get(id).subscribers.edges.map((edge: { node: unknown }) => edge.node), [
      { id: bob.id, email: bob.email, sentCount: 1 },
    ]);
  }
  assert.deepEqual([few.get(bobs).subscribers, few.get(bobs).createdBy.email], [null, bob.email]);

  // 500 more in each topic: more users in all than auth takes at once. Nobody of them is known to it.
  const sql = system.database("notifications");
  await sql`select join_topic(topic, gen_random_uuid()) from unnest(${ids}::uuid[]) as topic, generate_series(1, 500)`;
  const many = await read({ first: 1_000 });
  for (const id of ids) {
    const users = many.get(id).subscribers.edges.map((edge: { node: { id: string } }) => edge.node);
    assert.equal(users.length, 501);
    assert.deepEqual(users.map((user: { id: string }) => user.id), users.map((user: { id: string }) => user.id).sort());
    assert.equal(users.find((user: { id: string }) => user.id === bob.id).email, bob.email);
  }
  const { pageInfo, edges } = (await read({ first: 500 })).get(ids[0]!).subscribers;
  assert.deepEqual(pageInfo, { hasNextPage: true, endCursor: edges.at(-1).cursor });
  assert.equal((await read({ first: 500, after: pageInfo.endCursor })).get(ids[0]!).subscribers.edges.length, 1);
  for (const variables of [{ first: 0 }, { first: 1_001 }, { after: "x" }]) {
    const { data, errors } = await ann.ask(query, variables);
    assert.equal(errors?.[0]?.extensions.code, "BAD_USER_INPUT");
    assert.equal(data.topics.edges.length, 4);
  }
});

Deno.test("topics - nothing is sent to one that is INACTIVE or deleted, and a change is seen by all", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const name = `news ${crypto.randomUUID()}`;
  const id = await ann.createTopic(name);
  await bob.join(id);
  const send = 'mutation ($id: ID!) { sendNotification(topicId: $id, message: "x") { id topic { name status } } }';
  const update =
    "mutation ($id: ID!, $name: String, $days: Int, $visibility: TopicVisibility) { updateTopic(topicId: $id, name: $name, retentionDays: $days, visibility: $visibility) { name retentionDays visibility } }";
  const status =
    "mutation ($id: ID!, $status: TopicStatus!) { setTopicStatus(topicId: $id, status: $status) { status } }";

  const renamed = { name: `${name}, renamed`, retentionDays: 7, visibility: "PUBLIC" };
  assert.deepEqual((await ann.get(update, { id, name: renamed.name, days: 7 })).updateTopic, renamed);
  const read = "query ($id: ID!) { topic(id: $id) { name retentionDays visibility } }";
  assert.deepEqual((await bob.get(read, { id })).topic, renamed);
  assert.equal(await bob.code(update, { id, name: "mine" }), "FORBIDDEN");
  assert.equal(await ann.code(update, { id, days: 0 }), "BAD_USER_INPUT");
  assert.equal(await ann.code(update, { id, visibility: "SECRET" }), "BAD_USER_INPUT");

  await ann.get(status, { id, status: "INACTIVE" });
  assert.equal(await ann.code(send, { id }), "CONFLICT");
  await ann.get(status, { id, status: "ACTIVE" });
  assert.deepEqual((await ann.get(send, { id })).sendNotification.topic, { name: renamed.name, status: "ACTIVE" });

  assert.equal(await bob.code(DELETE, { id }), "FORBIDDEN");
  assert.deepEqual(await ann.get(DELETE, { id }), { deleteTopic: true });
  for (const user of [ann, bob]) await assertGone(user, id, renamed.name);
  assert.equal(await ann.code(send, { id }), "NOT_FOUND");
  assert.ok(await bob.createTopic(renamed.name));
});

async function operationsOf(system: System, someId: string): Promise<Operation[]> {
  const { data } = await graphql(system.graphqlUrl, getIntrospectionQuery());
  return operationsWithIds(buildClientSchema(data), someId);
}

/** The whole answer as a text, in which the id that was given doesn't show. */
async function ask(user: User, operation: Operation, id: string): Promise<string> {
  const variables = operation.variables(id);
  const hide = (answer: unknown) => JSON.stringify(answer).replaceAll(id, "ID");
  if (operation.kind !== "subscription") {
    const { status, data, errors } = await user.ask(operation.document, variables);
    return hide({ status, data, errors });
  }
  using socket = await user.connect();
  const started = socket.subscribe(operation.document, variables);
  const { type, payload } = await socket.next((frame) => frame.id === started);
  return hide({ type, payload });
}

async function assertGone(user: User, id: string, name: string): Promise<void> {
  const query = "query ($id: ID, $name: String) { byId: topic(id: $id) { id } byName: topic(name: $name) { id } }";
  assert.deepEqual(await user.get(query, { id, name }), { byId: null, byName: null });
  for (const mutation of ["deleteTopic(topicId: $id)", "subscribeToTopic(topicId: $id) { id }"]) {
    assert.equal(await user.code(`mutation ($id: ID!) { ${mutation} }`, { id }), "NOT_FOUND", mutation);
  }
}
