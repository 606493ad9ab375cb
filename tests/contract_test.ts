/** The public API against its contract: what the gateway's graph has to have, and what its fields answer with to whom. */

import assert from "node:assert/strict";
import {
  astFromValue,
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isIntrospectionType,
  isObjectType,
  isRequiredArgument,
  isSpecifiedScalarType,
  print,
} from "graphql";
import { Answers } from "./helpers/answers.ts";
import { graphql, type Socket, User } from "./helpers/client.ts";
import contract from "./helpers/contract.graphql" with { type: "text" };
import { startSystem, until } from "./helpers/system.ts";

/** What the contract has and the graph hasn't yet. */
const LATER: readonly string[] = [];

Deno.test("contract - the graph has every type, field, argument, default and `!` of it", async () => {
  await using system = await startSystem({ counts: { mail: 1, avatar: 1 } });
  // A gateway is ready before services come that it can do without.
  await until("the graph has all services", async () => {
    const { data } = await graphql(
      system.graphqlUrl,
      '{ mail: __type(name: "Email") { name } avatar: __type(name: "AvatarStyle") { name } }',
    );
    return data.mail !== null && data.avatar !== null;
  }, 30_000);
  const { data } = await graphql(system.graphqlUrl, getIntrospectionQuery());
  const differences = differencesOf(buildSchema(contract), buildClientSchema(data));
  assert.deepEqual(differences.filter((one) => !one.endsWith(" is missing")), []);
  assert.deepEqual(differences.map((one) => one.replace(/ is missing$/, "")).sort(), LATER);
});

Deno.test("contract - a difference of any kind is found", () => {
  const found = (graph: string) =>
    differencesOf(
      buildSchema("type Query { a(b: Int = 1, c: [ID!]): Int! }  enum E { X Y }"),
      buildSchema(graph),
    );
  assert.deepEqual(found("type Query { a(b: Int = 1, c: [ID!], d: Int): Int!  z: Int }  enum E { X Y }"), []);
  assert.deepEqual(found("type Query { a(b: Int = 2, c: [ID!], d: Int!): Int! }  enum E { X Z }"), [
    "Query.a(b: Int = 1) is b: Int = 2",
    "Query.a(d: Int!) is required",
    "E has X, Z and not X, Y",
  ]);
  assert.deepEqual(found("type Query { a(b: Int = 1, c: [ID]): Int }  type E { x: Int }"), [
    "Query.a: Int! is Int",
    "Query.a(c: [ID!]) is c: [ID]",
    "E is another kind of type",
  ]);
  assert.deepEqual(found("type Query { b: Int }"), ["Query.a is missing", "E is missing"]);
});

function differencesOf(promised: GraphQLSchema, graph: GraphQLSchema): string[] {
  return Object.values(promised.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => differencesOfType(type, graph.getType(type.name)));
}

function differencesOfType(promised: GraphQLNamedType, found: GraphQLNamedType | undefined): string[] {
  const { name } = promised;
  if (found === undefined) return [`${name} is missing`];
  if (promised.constructor !== found.constructor) return [`${name} is another kind of type`];
  if (isEnumType(promised) && isEnumType(found)) {
    const [is, wanted] = [found, promised].map((type) => type.getValues().map((value) => value.name).join(", "));
    return is === wanted ? [] : [`${name} has ${is} and not ${wanted}`];
  }
  if (!isObjectType(promised) || !isObjectType(found)) return [];
  const fields = found.getFields();
  return Object.values(promised.getFields()).flatMap((field) =>
    differencesOfField(`${name}.${field.name}`, field, fields[field.name])
  );
}

type Field = GraphQLField<unknown, unknown>;

function differencesOfField(name: string, promised: Field, found: Field | undefined): string[] {
  if (found === undefined) return [`${name} is missing`];
  const wrongType = `${promised.type}` === `${found.type}` ? [] : [`${name}: ${promised.type} is ${found.type}`];
  const wrong = promised.args.flatMap((argument) => {
    const is = found.args.find((one) => one.name === argument.name);
    if (is === undefined) return [`${name}(${argument.name}) is missing`];
    return text(is) === text(argument) ? [] : [`${name}(${text(argument)}) is ${text(is)}`];
  });
  const surplus = found.args
    .filter((argument) => isRequiredArgument(argument) && !promised.args.some((one) => one.name === argument.name))
    .map((argument) => `${name}(${text(argument)}) is required`);
  return [...wrongType, ...wrong, ...surplus];
}

/** As SDL has it. */
function text({ name, type, defaultValue }: GraphQLArgument): string {
  const value = defaultValue === undefined ? undefined : astFromValue(defaultValue, type);
  return `${name}: ${type}${value ? ` = ${print(value)}` : ""}`;
}

/** Fields of the graph with arguments that name a topic `$topic`, a notification `$notification` and a user `$user`. */
const CREATORS_ONLY = [
  'updateTopic(topicId: $topic, name: "mine") { id }',
  "setTopicStatus(topicId: $topic, status: INACTIVE) { id }",
  "deleteTopic(topicId: $topic)",
  "inviteToTopic(topicId: $topic, userIds: [$user]) { id }",
  "removeSubscriber(topicId: $topic, userId: $user) { id }",
  'sendNotification(topicId: $topic, message: "x", to: [$user]) { id }',
  "retractNotification(id: $notification)",
];
const FOR_ALL = [
  "acknowledgeNotifications(ids: [$notification]) { id }",
  "acknowledgeAll(topicId: $topic)",
  "unsubscribeFromTopic(topicId: $topic) { id }",
  "subscribeToTopic(topicId: $topic) { id }",
];
const VARIABLES = "$topic: ID!, $notification: ID!, $user: ID!";

Deno.test("contract - each mutation's code: for whom it isn't, for what isn't there, for what is wrong, without a session", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topic = await ann.createTopic();
  await bob.join(topic);
  const { id: notification } = await ann.send(topic, "hello");
  const known = { topic, notification, user: bob.id };
  const unknown = { topic: crypto.randomUUID(), notification: crypto.randomUUID(), user: bob.id };
  const mutation = (field: string) => {
    // Each that is declared has to be used.
    const used = VARIABLES.split(", ").filter((one) => field.includes(one.split(":")[0]!));
    return `mutation ${used.length > 0 ? `(${used.join(", ")})` : ""} { ${field} }`;
  };

  await t.step("FORBIDDEN to who is not the creator; to a stranger a notification isn't there", async () => {
    for (const field of CREATORS_ONLY) assert.equal(await bob.code(mutation(field), known), "FORBIDDEN", field);
    assert.equal(await eve.code(mutation("retractNotification(id: $notification)"), known), "NOT_FOUND");
    const acknowledge = mutation("acknowledgeNotifications(ids: [$notification]) { id }");
    for (const other of [ann, eve]) assert.equal(await other.code(acknowledge, known), "NOT_FOUND");
    using socket = await bob.connect();
    const acknowledged = "subscription ($topic: ID!) { notificationAcknowledged(topicId: $topic) { cursor } }";
    assert.equal(await codeOf(socket, acknowledged, { topic }), "FORBIDDEN");
    assert.deepEqual(await bob.inbox(), ["hello"]);
  });

  await t.step("NOT_FOUND for what isn't there, also for what is no id", async () => {
    for (const field of [...CREATORS_ONLY, ...FOR_ALL]) {
      for (const ids of [unknown, { topic: "x", notification: "x", user: bob.id }]) {
        assert.equal(await ann.code(mutation(field), ids), "NOT_FOUND", field);
      }
    }
  });

  await t.step("a query for one thing by its id is null where the viewer doesn't see it", async () => {
    const query =
      `query (${VARIABLES}) { topic(id: $topic) { id } notification(id: $notification) { id } user(id: $user) { id } }`;
    const nothing = { topic: null, notification: null, user: null };
    for (const id of ["x", "", crypto.randomUUID()]) {
      assert.deepEqual(await ann.get(query, { topic: id, notification: id, user: id }), nothing);
    }
    const seen = { topic: { id: topic }, notification: { id: notification }, user: { id: bob.id } };
    for (const user of [ann, bob]) assert.deepEqual(await user.get(query, known), seen);
    assert.deepEqual(await eve.get(query, known), { ...seen, notification: null });
    const upperCase = Object.fromEntries(Object.entries(known).map(([name, id]) => [name, id.toUpperCase()]));
    assert.deepEqual(await bob.get(query, upperCase), seen);
    assert.equal(await ann.code("{ topic { id } }"), "BAD_USER_INPUT");
    assert.equal(await ann.code('{ topic(id: "x", name: "y") { id } }'), "BAD_USER_INPUT");
  });

  await t.step("a list of what belongs to an unknown topic is NOT_FOUND", async () => {
    const edges = "{ edges { cursor } }";
    for (
      const field of [
        `notifications(topicId: "x") ${edges}`,
        `sentNotifications(topicId: "x") ${edges}`,
        'unseenCount(topicId: "x")',
      ]
    ) {
      assert.equal(await ann.code(`{ ${field} }`), "NOT_FOUND", field);
    }
  });

  await t.step("BAD_USER_INPUT for what is wrong, CONFLICT for what is taken or inactive", async () => {
    const wrong = [
      'createTopic(name: "") { id }',
      'createTopic(name: "x", retentionDays: 0) { id }',
      "updateTopic(topicId: $topic, retentionDays: 4000) { id }",
      'sendNotification(topicId: $topic, message: "") { id }',
      'sendNotification(topicId: $topic, message: "x", to: ["nobody"]) { id }',
      'acknowledgeAll(topicId: $topic, upTo: "x")',
      'inviteToTopic(topicId: $topic, userIds: ["nobody"]) { id }',
    ];
    for (const field of wrong) assert.equal(await ann.code(mutation(field), known), "BAD_USER_INPUT", field);
    const name = `taken ${crypto.randomUUID()}`;
    await ann.createTopic(name);
    const create = "mutation ($name: String!) { createTopic(name: $name) { id } }";
    assert.equal(await bob.code(create, { name: ` ${name.toUpperCase()} ` }), "CONFLICT");
    await ann.get(mutation("setTopicStatus(topicId: $topic, status: INACTIVE) { id }"), known);
    assert.equal(await ann.code(mutation('sendNotification(topicId: $topic, message: "x") { id }'), known), "CONFLICT");
    await ann.get(mutation("setTopicStatus(topicId: $topic, status: ACTIVE) { id }"), known);
  });

  await t.step("UNAUTHENTICATED without a session", async () => {
    const fields = [...CREATORS_ONLY, ...FOR_ALL, 'createTopic(name: "x") { id }', "logout"];
    for (const field of fields) {
      const { errors } = await graphql(system.graphqlUrl, mutation(field), known);
      assert.equal(errors?.[0]?.extensions.code, "UNAUTHENTICATED", field);
    }
  });

  await t.step("what is sent answers with all of a notification, as the graph has it afterwards", async () => {
    const fields =
      "{ id topic { id name subscribed subscriberCount } from { id email sentCount } message createdAt cursor status recipientCount seenCount }";
    const { sendNotification: sent } = await ann.get(
      `mutation ($topic: ID!) { sendNotification(topicId: $topic, message: "all of it") ${fields} }`,
      { topic: topic.toUpperCase() },
    );
    assert.deepEqual([sent.recipientCount, sent.seenCount, sent.status, sent.topic.id], [1, 0, "SENT", topic]);
    assert.equal(sent.from.email, ann.email);
    const query = `query ($id: ID!) { notification(id: $id) ${fields} }`;
    assert.deepEqual((await ann.get(query, { id: sent.id })).notification, sent);
  });

  await t.step("topics by a part of their names", async () => {
    const word = crypto.randomUUID();
    for (const name of [`100% ${word}`, `Other ${word}`]) await ann.createTopic(name);
    const search = async (text: string) => {
      const query = "query ($text: String) { topics(search: $text) { edges { node { name } } } }";
      const { topics } = await bob.get(query, { text });
      return topics.edges.map(({ node }: { node: { name: string } }) => node.name);
    };
    assert.deepEqual(await search(word.toUpperCase()), [`Other ${word}`, `100% ${word}`]);
    assert.deepEqual(await search(`100% ${word}`), [`100% ${word}`]);
    assert.deepEqual(await search(`0_ ${word}`), []);
  });

  await answers.check();
});

async function codeOf(socket: Socket, query: string, variables: unknown): Promise<string | undefined> {
  const id = socket.subscribe(query, variables);
  const { payload } = await socket.next((frame) => frame.id === id);
  return payload[0]?.extensions.code;
}
