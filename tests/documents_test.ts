/** Documents from the outside: what is open to all, what is between the gateway and its services, and documents that are wrong or hostile. */

import assert from "node:assert/strict";
import { buildClientSchema, getIntrospectionQuery } from "graphql";
import { Answers } from "./helpers/answers.ts";
import { graphql, User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

Deno.test("documents - wrong and hostile ones get BAD_USER_INPUT, and the gateway goes on", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const url = system.graphqlUrl;
  const ann = await User.register(system);

  await t.step(
    "introspection needs no token, and shows nothing that is between the gateway and its services",
    async () => {
      assert.deepEqual((await graphql(url, "{ __typename }")).data, { __typename: "Query" });
      const { data } = await graphql(url, getIntrospectionQuery());
      const schema = buildClientSchema(data);
      for (const type of [schema.getQueryType()!, schema.getMutationType()!, schema.getSubscriptionType()!]) {
        assert.deepEqual(Object.keys(type.getFields()).filter((name) => name.startsWith("_")), []);
      }
      const directives = schema.getDirectives().map(({ name }) => name).sort();
      assert.deepEqual(directives, ["deprecated", "include", "oneOf", "skip", "specifiedBy"]);
      for (const query of ["{ _sdl }", `{ _users(ids: ["${ann.id}"]) { email } }`, "{ _topics(ids: []) { id } }"]) {
        assert.equal(await ann.code(query), "BAD_USER_INPUT", query);
      }
    },
  );

  await t.step("a document that is wrong", async () => {
    const wrong = [
      "",
      " ",
      "#",
      "{",
      "}",
      "{ me { id }",
      "{ me }",
      "{ me { id { x } } }",
      "{ noSuchField }",
      "{ __proto__ }",
      "{ constructor }",
      "query { me { id } } query { me { id } }",
      "{ me { ...Missing } }",
      "fragment F on User { id }",
      "{ me { ... on Nothing { id } } }",
      "{ users(first: $n) { edges { cursor } } }",
      "query ($id: Nothing) { me { id } }",
      '{ users(first: "1") { edges { cursor } } }',
      "{ user { id } }",
      "{ me { id @nothing } }",
      "{ a: me { id } a: unseenCount }",
      "type Query { a: Int }",
      "\0",
      "{ me { id } } \ud800",
    ];
    for (const query of wrong) assert.equal(await ann.code(query), "BAD_USER_INPUT", query);
    const { errors } = await ann.ask("{ me {\n  idd } }");
    assert.match(errors![0]!.message, /Cannot query field "idd" on type "User"/);
    assert.deepEqual((errors![0] as unknown as { locations: unknown }).locations, [{ line: 2, column: 3 }]);
    const two = "query A { me { id } } query B { unseenCount }";
    const choose = (operationName: unknown) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${ann.token}` },
        body: JSON.stringify({ query: two, operationName }),
      }).then((response) => response.json());
    assert.deepEqual((await choose("B")).data, { unseenCount: 0 });
    for (const name of ["C", "", null, "__proto__"]) {
      assert.equal((await choose(name)).errors[0].extensions.code, "BAD_USER_INPUT");
    }
  });

  await t.step("a field may be given the name of what types are joined by", async () => {
    const topicId = await ann.createTopic();
    const { me, topic } = await ann.get(
      "query ($id: ID!) { me { id: email sentCount } topic(id: $id) { id: subscriberCount name: id createdBy { id: sentCount email } } }",
      { id: topicId },
    );
    assert.deepEqual(me, { id: ann.email, sentCount: 0 });
    assert.deepEqual(topic, { id: 0, name: topicId, createdBy: { id: 0, email: ann.email } });
  });

  await t.step("a document that is hostile", async () => {
    const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);
    const hostile: Record<string, string> = {
      "deep selections": `{ me ${deep("{ a ", "}", 4_900)} }`,
      "deep lists": `{ users(first: ${deep("[", "]", 4_900)}) { edges { cursor } } }`,
      "deep objects": `{ users(first: ${deep("{a:", "}", 3_000)}) { edges { cursor } } }`,
      "deep types": `query ($a: ${deep("[", "]", 4_900)}) { unseenCount }`,
      "deep inline fragments": `{ me { ${deep("... { ", "}", 4_900)} } }`,
      "many tokens": `{ ${"me { id } ".repeat(5_000)} }`,
      "many characters": `{ unseenCount #${"x".repeat(200_000)}\n }`,
      "circular fragments": "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
      "a fragment of itself": "{ me { ...A } } fragment A on User { id ...A }",
      "many errors": `{ ${"nothing ".repeat(4_000)} }`,
    };
    for (const [name, query] of Object.entries(hostile)) {
      const { errors } = await ann.ask(query);
      assert.equal(errors?.[0]?.extensions.code, "BAD_USER_INPUT", name);
    }
    const variables = `{"id":"x","__proto__":{"id":"${ann.id}"},"constructor":1,"deep":${deep("[", "]", 400_000)}}`;
    const body = `{"query":"query ($id: ID!) { user(id: $id) { id } }","variables":${variables}}`;
    const headers = { "content-type": "application/json", authorization: `Bearer ${ann.token}` };
    const response = await fetch(url, { method: "POST", headers, body });
    assert.deepEqual(await response.json(), { data: { user: null } });
  });

  assert(await answers.check() > 40);
  assert.deepEqual(await ann.get("{ me { id } }"), { me: { id: ann.id } });
});
