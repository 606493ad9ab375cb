/** The graph while services come, change and go: queries and subscriptions over it, and what is refused. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { buildSchema, type GraphQLSchema } from "graphql";
import { User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { ForeignService, Happenings } from "./helpers/foreign_service.ts";
import { QueryLoad } from "./helpers/query_load.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

const { allStitchingDirectivesTypeDefs } = stitchingDirectives();
const AWAY = { code: "SERVICE_UNAVAILABLE" };
/** What a new service may take to be in the graph, in milliseconds. */
const APPEARS_MS = 2_000;

// deno-lint-ignore no-explicit-any -- resolvers of a test's service
function joined(typeDefs: string, resolvers: any): GraphQLSchema {
  const sdl = `${allStitchingDirectivesTypeDefs}\n${typeDefs}`;
  const query = { ...resolvers.Query, _sdl: () => sdl };
  return makeExecutableSchema({ typeDefs: sdl, resolvers: { ...resolvers, Query: query } });
}

const deeds = new Happenings<{ karmaGiven: { to: { id: string }; karma: number } }>();

/** A service that knows more of users: `fields` in SDL, all of which are 7. */
function karma(fields: string): GraphQLSchema {
  return joined(
    `type Query { _users(ids: [ID!]!): [User]! @merge(keyField: "id")  best: [User!]!  _sdl: String! }
     type User @key(selectionSet: "{ id }") { id: ID!  ${fields} }
     type Deed { to: User!  karma: Int! }
     type Subscription { karmaGiven: Deed! }`,
    {
      Query: {
        _users: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id })),
        best: () => [],
      },
      User: Object.fromEntries(fields.split(/:\s*\S+\s*/).filter(Boolean).map((name) => [name, () => 7])),
      Subscription: { karmaGiven: { subscribe: () => deeds.listen() } },
    },
  );
}

async function appears(user: User, query: string): Promise<void> {
  await until(`${query} is in the graph`, async () => (await user.code(query)) === undefined, APPEARS_MS);
}

async function disappears(user: User, query: string): Promise<void> {
  await until(`${query} isn't in the graph`, async () => (await user.code(query)) === "BAD_USER_INPUT", APPEARS_MS);
}

Deno.test("graph - a service that nobody configured is there within 2 s, in a few lines", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { query } = await request.json();
    const { graphqlSync } = await import("graphql");
    return Response.json(
      graphqlSync({ schema: buildSchema("type Query { hello: String }"), source: query, rootValue: { hello: "hi" } }),
    );
  });
  const put = await fetch(`${system.url("discovery")}/api/instances/hello-1`, {
    method: "PUT",
    headers: { authorization: "Bearer a-secret-of-the-tests-that-is-long-enough" },
    body: JSON.stringify({ service: "hello", url: `http://127.0.0.1:${server.addr.port}`, subgraph: true }),
  });
  assert.equal(put.status, 200);
  await put.body?.cancel();
  await appears(ann, "{ hello }");
  assert.deepEqual(await ann.get("{ hello me { id } }"), { hello: "hi", me: { id: ann.id } });
  await server.shutdown();
});

Deno.test("graph - a service that is away keeps its types, also when the gateway starts anew: its fields are null, and the rest is there", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const service = new ForeignService(system, "karma", karma("karma: Int!"));
  await service.register();
  const query = "{ me { email karma sentCount } }";
  await appears(ann, query);
  assert.deepEqual(await ann.get(query), { me: { email: ann.email, karma: 7, sentCount: 0 } });
  await service[Symbol.asyncDispose]();
  await until("it is away", async () => (await ann.ask(query)).errors !== undefined);
  const assertAway = async () => {
    const { data, errors } = await ann.ask(query);
    // Also what its service has as non-null.
    assert.deepEqual(data, { me: { email: ann.email, karma: null, sentCount: 0 } });
    assert.deepEqual(errors?.map(({ path, extensions }) => [path, extensions]), [[["me", "karma"], AWAY]]);
  };
  await assertAway();
  const { process: gateway } = system.node("gateway");
  const { starts } = gateway;
  system.signal("SIGKILL", "gateway");
  await until("the gateway is back", () => gateway.starts > starts && gateway.state === "ready");
  await assertAway();
  await using back = new ForeignService(system, "karma", karma("karma: Int!"));
  await back.register();
  await until("it is back", async () => (await ann.ask(query)).errors === undefined);
});

Deno.test("graph - a gateway that starts while a service of the system is away has its fields, and one whose copy of the types is none says so in one line", async (t) => {
  const said: string[] = [];
  await using system = await startSystem({ onLine: (name, line) => name === "gateway" && said.push(line) });
  const ann = await User.register(system);
  const service = new ForeignService(system, "karma", karma("karma: Int"));
  await service.register();
  await appears(ann, "{ me { karma } }");
  await service[Symbol.asyncDispose]();
  await system.node("counter").process.stop(5_000);
  const { process: gateway } = system.node("gateway");
  const restart = async (meanwhile = () => {}) => {
    const { starts } = gateway;
    system.signal("SIGSTOP", "gateway");
    meanwhile();
    said.length = 0;
    system.signal("SIGKILL", "gateway");
    await until("it has started", () => gateway.starts > starts);
    const answers = () => ann.code("{ me { id } }").catch(() => "none");
    await until("it answers", async () => (await answers()) === undefined, 20_000);
  };
  const query = "{ me { email karma sentCount } }";

  await t.step("both are away", async () => {
    await restart();
    const { data, errors = [] } = await ann.ask(query);
    assert.deepEqual(data, { me: { email: ann.email, karma: null, sentCount: null } });
    const told = errors.map(({ path, extensions }) => [path?.join("."), extensions]).sort();
    assert.deepEqual(told, [["me.karma", AWAY], ["me.sentCount", AWAY]]);
    assert.deepEqual(said.filter((line) => line.includes("copy of the types")), []);
  });

  const copies = [...walk(system.data)].filter((file) => file.endsWith("/types"));
  assert.equal(copies.length, 1);
  const [file] = copies as [string];
  const good = Deno.readTextFileSync(file);
  const [hmac, text] = good.split("\n") as [string, string];
  const wrong = {
    "cut off": good.slice(0, good.length / 2),
    "changed": `${hmac}\n${text.replace("karma", "kudos")}`,
    "of another cluster": `${createHmac("sha256", "another secret").update(text).digest("hex")}\n${text}`,
    "empty": "",
  };
  for (const [name, content] of Object.entries(wrong)) {
    await t.step(`a copy that is ${name}`, async () => {
      await restart(() => Deno.writeTextFileSync(file, content));
      assert.equal(await ann.code("{ me { karma } }"), "BAD_USER_INPUT");
      assert.equal((await ann.get("{ me { email } }")).me.email, ann.email);
      const lines = said.filter((line) => line.includes("copy of the types"));
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(lines[0]!, /the copy of the types is not used: it is damaged, or of another cluster/);
    });
  }
});

function* walk(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* walk(`${folder}/${name}`);
    else yield `${folder}/${name}`;
  }
}

Deno.test("graph - a conflict: the new types are refused and named everywhere, the old graph goes on, and they are taken once it is gone", async (t) => {
  const said: string[] = [];
  await using system = await startSystem({ onLine: (name, line) => name === "gateway" && said.push(line) });
  const ann = await User.register(system);
  const page = async () => await (await fetch(`${system.url()}/dashboard`)).text();
  const refusals = async () => {
    const text = await (await fetch(`${system.url()}/metrics`)).text();
    return text.split("\n").filter((line) => line.startsWith("notifyx_graph_refused{"));
  };
  const view = async (service: string) => {
    const { services } = await ann.get("{ services { name inGraph conflicts instances { schemaHash version } } }");
    return services.find(({ name }: { name: string }) => name === service);
  };
  await using karmas = new ForeignService(system, "karma", karma("karma: Int"));
  await karmas.register();
  await appears(ann, "{ me { karma } }");
  await using other = new ForeignService(system, "other", buildSchema("type Query { other: Int }"));
  await other.register("one");
  await appears(ann, "{ other }");
  await using load = new QueryLoad({
    urls: () => [system.graphqlUrl],
    token: ann.token,
    queries: ["{ me { email karma sentCount } }", "{ other unseenCount }"],
    perSecond: 40,
  });

  await t.step(
    "a new version that wants a root field of another, with an invalid schema or another's field of a user",
    async () => {
      const wrong: [GraphQLSchema, string][] = [
        [buildSchema("type Query { other: Int  best: Int }"), "the query best belongs to karma"],
        [
          buildSchema("type Query { other: Int  me: Int  services: Int }"),
          "the query services belongs to the gateway; the query me belongs to auth",
        ],
        [
          joined(
            'type Query { other: Int  _sdl: String!  _users(ids: [ID!]!): [User]! @merge(keyField: "id") } type User @key(selectionSet: "{ id }") { id: ID!  karma: Int }',
            { Query: { _users: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id, karma: 1 })) } },
          ),
          "User.karma belongs to karma",
        ],
      ];
      for (const [schema, why] of wrong) {
        await other.change(schema);
        const reasons = why.split("; ");
        await until(why, async () => {
          const { conflicts } = await view("other");
          return reasons.every((reason) => conflicts.includes(reason)) && conflicts.length === reasons.length;
        });
        assert.equal((await view("other")).inGraph, true);
        assert.ok(said.some((line) => line.includes("other") && line.includes(why)), `the log doesn't say ${why}`);
        assert.deepEqual(await refusals(), ['notifyx_graph_refused{service="other"} 1']);
        assert.match(await page(), new RegExp(`<td>other</td><td[^>]*>REFUSED.*</td><td[^>]*>${why}</td>`));
        assert.deepEqual(await ann.get("{ other best { id } }"), { other: null, best: [] });
      }
    },
  );

  await t.step("it is taken once the other has given the field up", async () => {
    await karmas.change(karma("kudos: Int"));
    await appears(ann, "{ me { kudos karma } }");
    assert.deepEqual((await view("other")).conflicts, []);
    assert.deepEqual(await refusals(), []);
  });

  await t.step("a new service that conflicts is refused, and what it conflicts with goes on", async () => {
    await using thief = new ForeignService(system, "thief", buildSchema("type Query { mine: Int  topics: Int }"));
    await thief.register();
    await until("it is refused", async () => (await view("thief"))?.conflicts.length === 1);
    assert.equal((await view("thief")).inGraph, false);
    assert.equal(await ann.code("{ mine }"), "BAD_USER_INPUT");
    assert.deepEqual((await ann.get("{ topics { edges { cursor } } }")).topics, { edges: [] });
    await thief.change(buildSchema("type Query { mine: Int }"));
    await appears(ann, "{ mine }");
  });

  await t.step("what has changed is told, with what it breaks", async () => {
    const { schemaChanges } = await ann.get("{ schemaChanges(first: 100) { at criticality message } }");
    const told = schemaChanges.map(({ criticality, message }: Record<string, string>) => `${criticality} ${message}`);
    assert.ok(told.includes("NON_BREAKING Field 'other' was added to object type 'Query'"), told.join("\n"));
    assert.match(await page(), /Schema changes.*Field &#39;mine&#39; was added/s);
    assert.equal(await ann.code("{ schemaChanges(first: 0) { at } }"), "BAD_USER_INPUT");
  });
  await load[Symbol.asyncDispose]();
  assert.deepEqual(load.failed.filter((one) => !one.includes("karma")), []);
});

Deno.test("graph - a service whose event stream breaks off ends its subscriptions with one error, and no other", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const service = new ForeignService(system, "karma", karma("karma: Int"));
  await service.register();
  await appears(bob, "{ me { karma } }");
  using socket = await bob.connect();
  const [own, foreign] = [SHARED, FOREIGN].map((query) => socket.subscribe(query));
  await listening(system, 1);
  await until("the service has it", () => deeds.listeners === 1);
  deeds.happen({ karmaGiven: { to: { id: ann.id }, karma: 1 } });
  await socket.next((frame) => frame.id === foreign);
  await service.kill();
  const { payload } = await socket.next((frame) => frame.id === foreign && frame.type === "error");
  assert.deepEqual(payload.map(({ extensions }: { extensions: unknown }) => extensions), [AWAY]);
  await ann.send(topicId, "still here");
  assert.deepEqual(await socket.receive(own!, 1), [{ message: "still here" }]);
  assert.equal(socket.frames.filter(({ id }) => id === foreign).length, 2);
  const again = socket.subscribe(FOREIGN);
  const refused = await socket.next((frame) => frame.id === again);
  assert.deepEqual([refused.type, refused.payload[0].extensions], ["error", AWAY]);
});

const SHARED = "subscription { notificationReceived { message } }";
const PERSONAL = "subscription { notificationReceived { message from { email karma } } }";
const FOREIGN = "subscription { karmaGiven { karma to { id email } } }";
const WITH_MARKS = "subscription { notificationReceived { message from { marks } } }";
const FOREIGN_MARKS = "subscription { karmaGiven { to { marks } } }";

Deno.test("graph - under load types are added and removed: queries and subscriptions go on, those that are not valid any more end with one error", async (t) => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  await using service = new ForeignService(system, "karma", karma("karma: Int"));
  await service.register("first");
  await appears(bob, "{ me { karma } }");
  await using load = new QueryLoad({
    urls: () => [system.graphqlUrl],
    token: bob.token,
    queries: ["{ me { email sentCount } }", "{ me { karma } topics { edges { node { name createdBy { karma } } } } }"],
    perSecond: 40,
  });
  using socket = await bob.connect();
  const stay = [SHARED, PERSONAL, FOREIGN].map((query) => socket.subscribe(query));
  const headers = { authorization: `Bearer ${bob.token}` };
  const streams = await Promise.all(
    [SHARED, PERSONAL, FOREIGN].map((query) => EventStream.open(system.graphqlUrl, query, {}, headers)),
  );
  await listening(system, 4);
  await until("the service has them", () => deeds.listeners === 2);
  const sent: string[] = [];
  const happens = async (message: string) => {
    sent.push(message);
    await ann.send(topicId, message);
    deeds.happen({ karmaGiven: { to: { id: ann.id }, karma: sent.length } });
    await haveAll();
  };
  const results = (query: string, index: number) => [
    socket.frames.filter(({ id }) => id === stay[index]).map(({ type, payload }) =>
      type === "next" ? payload : { query, type, payload }
    ),
    streams[index]!.events.map(({ event, data }) => event === "next" ? data : { query, event, data }),
  ];
  const haveAll = async () => {
    const expected = [
      sent.map((message) => ({ data: { notificationReceived: { message } } })),
      sent.map((message) => ({ data: { notificationReceived: { message, from: { email: ann.email, karma: 7 } } } })),
      sent.map((_, at) => ({ data: { karmaGiven: { karma: at + 1, to: { id: ann.id, email: ann.email } } } })),
    ];
    for (const [index, query] of [SHARED, PERSONAL, FOREIGN].entries()) {
      await until(`all of ${query}`, () => results(query, index).every((one) => one.length >= sent.length));
      for (const came of results(query, index)) assert.deepEqual(came, expected[index]);
    }
  };
  await happens("before");

  await t.step("a field is added: all go on, and it can be asked for", async () => {
    await service.change(karma("karma: Int marks: Int"));
    await appears(bob, "{ me { karma marks } }");
    await happens("with marks");
  });

  await t.step("a field is removed: those that ask for it end with one error each, all others go on", async () => {
    const gone = [WITH_MARKS, FOREIGN_MARKS].map((query) => socket.subscribe(query));
    await using stream = await EventStream.open(system.graphqlUrl, WITH_MARKS, {}, headers);
    await listening(system, 6);
    await until("the service has it", () => deeds.listeners === 3);
    await happens("seen by all");
    await until(
      "these have it",
      () => stream.events.length === 1 && gone.every((id) => socket.frames.some((one) => one.id === id)),
    );
    await service.change(karma("karma: Int"));
    await disappears(bob, "{ me { marks } }");
    const message =
      /^the graph has changed, and this subscription is not valid any more: Cannot query field "marks" on type "User"/;
    for (const id of gone) {
      const { payload } = await socket.next((frame) => frame.id === id && frame.type === "error");
      assert.equal(payload.length, 1);
      assert.match(payload[0].message, message);
      assert.deepEqual(payload[0].extensions, { code: "BAD_USER_INPUT" });
    }
    await stream.ended;
    const [, error, end, ...rest] = stream.events;
    assert.match(error!.data.errors[0].message, message);
    assert.equal(end!.event, "complete");
    assert.deepEqual(rest, []);
    await until("the service has been left", () => deeds.listeners === 2 && service.streams === 2);
    await happens("without marks");
    for (const id of gone) assert.equal(socket.frames.filter((frame) => frame.id === id).length, 2);
  });

  await t.step("another service comes and goes: all go on", async () => {
    await using other = new ForeignService(system, "other", buildSchema("type Query { other: Int }"));
    await other.register();
    await appears(bob, "{ other }");
    await happens("with another service");
  });

  await t.step("many changes, one after the other", async () => {
    for (let round = 0; round < 6; round++) {
      await service.change(karma(`karma: Int round${round}: Int`));
      await appears(bob, `{ me { round${round} } }`);
      await happens(`round ${round}`);
    }
  });

  await t.step("a conflict: all go on", async () => {
    await using thief = new ForeignService(system, "thief", karma("karma: Int"));
    await thief.register();
    await until("it is refused", async () => {
      const { services } = await bob.get("{ services { name conflicts } }");
      return services.some(({ name, conflicts }: { name: string; conflicts: string[] }) =>
        name === "thief" && conflicts.length > 0
      );
    });
    await happens("beside a conflict");
  });

  await t.step("their clients leave, and so does the gateway", async () => {
    for (const id of stay) socket.send({ id, type: "complete" });
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    await until("the service has been left", () => deeds.listeners === 0 && service.streams === 0);
    await listening(system, 0);
  });
  await until("100 queries", () => load.asked >= 100);
  await load[Symbol.asyncDispose]();
  assert.deepEqual(load.failed, []);
});
