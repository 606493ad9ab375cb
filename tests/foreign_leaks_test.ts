/**
 * A service of another make puts stacks, SQL, hosts and files into its errors, with a code of ours or without one. It is asked in every way
 * in which there is an answer; none of it leaves, and each error says where it belongs.
 */

import assert from "node:assert/strict";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { GraphQLError } from "graphql";
import { assertNothingInternal } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { ForeignService, Happenings } from "./helpers/foreign_service.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

const INSIDE =
  "connect ECONNREFUSED 127.0.0.1:5432: select id from users\n    at query (file:///srv/node_modules/pg/client.js:3)";
const stack = ["Error: x", "    at resolve (file:///srv/node_modules/apollo/x.js:1:2)"];
/** What a resolver throws, and with which code it may leave. */
const KINDS: Readonly<Record<string, readonly [thrown: () => Error, code: string]>> = {
  plain: [() => new Error(INSIDE), "INTERNAL"],
  foreignCode: [
    () => new GraphQLError(INSIDE, { extensions: { code: "INTERNAL_SERVER_ERROR", stacktrace: stack } }),
    "INTERNAL",
  ],
  ours: [
    () =>
      new GraphQLError("not like this", {
        extensions: { code: "BAD_USER_INPUT", stacktrace: stack, exception: { sql: INSIDE } },
      }),
    "BAD_USER_INPUT",
  ],
  internal: [
    () => new GraphQLError(INSIDE, { extensions: { code: "INTERNAL", internal: { error: INSIDE } } }),
    "INTERNAL",
  ],
  lines: [
    () => new GraphQLError(`no such thing\n${stack.join("\n")}`, { extensions: { code: "NOT_FOUND" } }),
    "NOT_FOUND",
  ],
};
const { allStitchingDirectivesTypeDefs } = stitchingDirectives();
const SDL = `${allStitchingDirectivesTypeDefs}
  type Query { leak(kind: String!): String  leaks(kind: String!): [Leak!]!  _users(ids: [ID!]!): [User]! @merge(keyField: "id")  _sdl: String! }
  type Mutation { spill(kind: String!): String }
  type Subscription { dripped(kind: String!): Drip!  never(kind: String!): Drip! }
  type Drip { leak(kind: String!): String  leaks: [Leak!]!  to: [User!]! }
  type Leak { nth: Int!  leak(kind: String!): String }
  type User @key(selectionSet: "{ id }") { id: ID!  leak(kind: String!): String }`;
const fail = (_: unknown, { kind }: { kind: string }) => {
  throw KINDS[kind]![0]();
};
/** Only the second of each list fails. */
const leaks = () => [{ nth: 0 }, { nth: 1 }];
const drops = new Happenings<{ dripped: { leaks: unknown; to: { id: string }[] } }>();
const schema = makeExecutableSchema({
  typeDefs: SDL,
  resolvers: {
    Query: {
      _sdl: () => SDL,
      leak: fail,
      leaks,
      _users: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id })),
    },
    Mutation: { spill: fail },
    Subscription: { dripped: { subscribe: () => drops.listen() }, never: { subscribe: fail as never } },
    Drip: { leak: fail },
    Leak: { leak: (leak: { nth: number }, args: { kind: string }) => leak.nth === 0 ? "dry" : fail(leak, args) },
    User: { leak: fail },
  },
});

/** Of the system's own, live: the creator of the topic, who subscribes to it first, stands there three times. */
const LIVE = `subscription ($kind: String!) { notificationReceived {
  message  from { leak(kind: $kind) }  topic { createdBy { leak(kind: $kind) }  subscribers { edges { node { leak(kind: $kind) } } } }
} }`;
const LIVE_PATHS = [
  '["notificationReceived","from","leak"]',
  '["notificationReceived","topic","createdBy","leak"]',
  '["notificationReceived","topic","subscribers","edges",0,"node","leak"]',
  '["notificationReceived","topic","subscribers","edges",1,"node","leak"]',
];

type Told = { message: string; path?: unknown; extensions: Record<string, unknown> };

Deno.test("foreign leaks - whatever a service says in its errors, what is internal stays there", async (t) => {
  await using system = await startSystem({ env: { NOTIFYX_LIMITS: "off" } });
  await using service = new ForeignService(system, "leaky", schema);
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await Promise.all([ann.join(topicId), bob.join(topicId)]);
  await service.register();
  await until("it is in the graph", async () => (await ann.code('{ leak(kind: "plain") }')) === "INTERNAL");
  const headers = { authorization: `Bearer ${ann.token}` };

  /** What came, of which each error has `code`, one of `paths`, and nothing else. */
  const assertTold = (came: unknown, code: string, paths: readonly string[]) => {
    assertNothingInternal(JSON.stringify(came));
    const errors = (came as { errors: Told[] }).errors;
    assert.deepEqual(errors.map(({ path }) => JSON.stringify(path)).sort(), [...paths].sort(), JSON.stringify(came));
    for (const { message, extensions } of errors) {
      assert.deepEqual(extensions, { code }, message);
      assert.match(message, /^(the service leaky failed|not like this|no such thing|a service is away just now)$/);
    }
  };

  for (const [kind, [, code]] of Object.entries(KINDS)) {
    await t.step(`queries and mutations: ${kind}`, async () => {
      const asked: readonly (readonly [query: string, paths: readonly string[]])[] = [
        ["query ($kind: String!) { leak(kind: $kind) }", ['["leak"]']],
        ["query ($kind: String!) { leak(kind: $kind) me { id } }", ['["leak"]']],
        ["query ($kind: String!) { me { id leak(kind: $kind) } }", ['["me","leak"]']],
        ["query ($kind: String!) { leaks(kind: $kind) { leak(kind: $kind) } me { id } }", ['["leaks",1,"leak"]']],
        ["query ($kind: String!) { __schema { queryType { name } } leak(kind: $kind) }", ['["leak"]']],
        [
          "query ($kind: String!) { __schema { queryType { name } } me { id leak(kind: $kind) } leaks(kind: $kind) { leak(kind: $kind) } }",
          ['["me","leak"]', '["leaks",1,"leak"]'],
        ],
        ["mutation ($kind: String!) { spill(kind: $kind) }", ['["spill"]']],
      ];
      using socket = await ann.connect();
      for (const [query, paths] of asked) {
        assertTold(await ann.ask(query, { kind }), code, paths);
        await using stream = await EventStream.open(system.graphqlUrl, query, { kind }, headers);
        await stream.ended;
        assertTold(stream.events[0]!.data, code, paths);
        const id = socket.subscribe(query, { kind });
        const { type, payload } = await socket.next((frame) => frame.id === id);
        assertTold(type === "error" ? { errors: payload } : payload, code, paths);
      }
    });

    await t.step(`subscriptions: ${kind}`, async () => {
      const never = "subscription ($kind: String!) { never(kind: $kind) { leaks { nth } } }";
      const dripped =
        "subscription ($kind: String!) { dripped(kind: $kind) { leak(kind: $kind) leaks { leak(kind: $kind) } to { id leak(kind: $kind) } } }";
      const paths = [
        '["dripped","leak"]',
        '["dripped","leaks",1,"leak"]',
        '["dripped","to",0,"leak"]',
        '["dripped","to",1,"leak"]',
      ];
      using socket = await ann.connect();
      const refused = socket.subscribe(never, { kind });
      assertTold({ errors: (await socket.next(({ id }) => id === refused)).payload }, code, ['["never"]']);
      const id = socket.subscribe(dripped, { kind });
      const live = socket.subscribe(
        LIVE,
        { kind },
      );
      await using stream = await EventStream.open(system.graphqlUrl, dripped, { kind }, headers);
      await until("the service has them", () => drops.listeners === 2);
      await listening(system, 1);
      drops.happen({ dripped: { leaks: leaks(), to: [ann, bob].map(({ id }) => ({ id })) } });
      await ann.send(topicId, "drip");
      assertTold((await socket.next((frame) => frame.id === id)).payload, code, paths);
      await until("the stream has it", () => stream.events.length === 1);
      assertTold(stream.events[0]!.data, code, paths);
      assertTold((await socket.next((frame) => frame.id === live)).payload, code, LIVE_PATHS);
    });
  }

  await t.step("it is away: live, each place that it has to fill has its error", async () => {
    using socket = await ann.connect();
    const live = socket.subscribe(LIVE, { kind: "ours" });
    await listening(system, 1);
    await service.kill();
    await ann.send(topicId, "nothing drips");
    assertTold((await socket.next((frame) => frame.id === live)).payload, "SERVICE_UNAVAILABLE", LIVE_PATHS);
  });
});
