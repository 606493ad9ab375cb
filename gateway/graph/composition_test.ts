/** What goes together in one graph and what doesn't, and who is refused. */

import assert from "node:assert/strict";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { buildSchema, isObjectType } from "graphql";
import auth from "../../schema/auth.graphql" with { type: "text" };
import counter from "../../schema/counter.graphql" with { type: "text" };
import gateway from "../../schema/gateway.graphql" with { type: "text" };
import notifications from "../../schema/notifications.graphql" with { type: "text" };
import { compose, type Subgraphs } from "./composition.ts";
import { conflictsBetween } from "./conflicts.ts";
import { crossingFields } from "./crossing.ts";
import { stitch } from "./stitching.ts";
import { checked, type SubgraphTypes } from "./subgraph_types.ts";

const { allStitchingDirectivesTypeDefs } = stitchingDirectives();
const OWN = buildSchema(gateway);

function typesOf(service: string, sdl: string): SubgraphTypes {
  const text = `${allStitchingDirectivesTypeDefs}\n${sdl}`;
  return checked(service, text, () => buildSchema(text, { assumeValidSDL: true }));
}

const OURS = [typesOf("auth", auth), typesOf("counter", counter), typesOf("notifications", notifications)];

function graphOf(...parts: SubgraphTypes[]): Subgraphs {
  return new Map(parts.map((types) => [types.service, types]));
}

const stitched = (parts: readonly SubgraphTypes[]) => stitch(parts, OWN, () => () => ({ data: null }));

function composed(present: Subgraphs, changes: SubgraphTypes[], yields = (_service: string, _other: string) => false) {
  const stitchingFault = (parts: readonly SubgraphTypes[]) => {
    try {
      stitched(parts);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const { subgraphs: graph, refused } = compose({ present, changes, own: OWN, yields, stitchingFault });
  return { graph, reasons: Object.fromEntries([...refused].map(([service, { reasons }]) => [service, reasons])) };
}

Deno.test("composition - the system's own services go together", () => {
  const { graph, reasons } = composed(new Map(), OURS);
  assert.deepEqual(reasons, {});
  assert.deepEqual([...graph.keys()], ["auth", "counter", "notifications"]);
});

Deno.test("composition - what a new service may not say, and how it is told", () => {
  const KEYED = '@key(selectionSet: "{ id }")';
  const MERGE = '_users(ids: [ID!]!): [User]! @merge(keyField: "id")';
  const wrong: Record<string, readonly [sdl: string, reason: string | RegExp]> = {
    "a root field of another": ["type Query { me: String }", "the query me belongs to auth"],
    "a mutation of another": [
      "type Query { a: Int } type Mutation { login: Int }",
      "the mutation login belongs to auth",
    ],
    "a root field of the gateway": ["type Query { services: Int }", "the query services belongs to the gateway"],
    "a subscription of the gateway": [
      "type Query { a: Int } type Subscription { unseenCountChanged: Int }",
      "the subscription unseenCountChanged belongs to the gateway",
    ],
    "a field of a joined type": [
      `type Query { ${MERGE} } type User ${KEYED} { id: ID! sentCount: Int }`,
      "User.sentCount belongs to counter",
    ],
    "another type of a key": [
      `type Query { ${MERGE} } type User ${KEYED} { id: Int! karma: Int }`,
      "User.id is Int!, and ID! in auth",
    ],
    "a field that others can't ask for": [
      "type Query { a: Int } type User { id: ID! karma: Int }",
      "User.karma of new can't be joined to the User of auth: it has no @key",
    ],
    "a joined type without its key": [
      "type Query { someone: User } type User { name: String }",
      "User of new has no id, by which auth has it",
    ],
    "another value type of that name": [
      "type Query { a: PageInfo } type PageInfo { more: Boolean }",
      "PageInfo is not as auth has it, and has no @key",
    ],
    "another enum of that name": [
      "type Query { a: TopicStatus } enum TopicStatus { ACTIVE GONE }",
      "TopicStatus is not as notifications has it, and has no @key",
    ],
    "another kind of type": [
      "type Query { a: Int } input User { id: ID! }",
      "User is not as auth has it, and has no @key",
    ],
    "a value type of the gateway": [
      "type Query { a: Service } type Service { x: Int }",
      "Service is not as the gateway has it, and has no @key",
    ],
    "no query": ["type A { a: Int }", "its types are no valid schema: Query root type must be provided."],
    "no SDL": ["type Query {", /^its types are no valid schema: Syntax Error/],
    "an unknown type": ["type Query { a: Nothing }", /^its types are no valid schema: Unknown type: "Nothing"/],
    "a reserved name": ["type Query { __a: Int }", /^its types are no valid schema: Name "__a" must not begin with/],
    "directives that say nothing": [
      'type Query { _books(ids: [ID!]!): [Book]! @merge(keyField: "id", keyArg: "x..y") } type Book @key(selectionSet: "{ id") { id: ID! }',
      /^it can't be stitched: /,
    ],
    "another field of a private name": [
      "type Query { a: Int  _users(names: [String!]): Int }",
      /^it can't be stitched: Definitions of field "Query._users"/,
    ],
  };
  for (const [what, [sdl, reason]] of Object.entries(wrong)) {
    const { graph, reasons } = composed(graphOf(...OURS), [typesOf("new", sdl)]);
    assert.equal(graph.size, 3, what);
    const all = reasons.new ?? [];
    assert.ok(all.some((one) => typeof reason === "string" ? one === reason : reason.test(one)), `${what}: ${all}`);
  }
});

Deno.test("composition - what goes together: more of a joined type, value types and enums that are alike, what is private", () => {
  const fine = [
    'type Query { _users(ids: [ID!]!): [User]! @merge(keyField: "id") } type User @key(selectionSet: "{ id }") { id: ID! karma: Int! }',
    "type Query { a: PageInfo } type PageInfo { endCursor: String  hasNextPage: Boolean! }",
    "type Query { a: TopicStatus } enum TopicStatus { INACTIVE ACTIVE }",
    "type Query { whose: User } type User { id: ID! }",
    "type Query { a: Int  _sdl: String!  _mine(names: [String!]): Int }",
    'scalar DateTime @specifiedBy(url: "https://example.com/other") type Query { at: DateTime }',
    "schema { query: Root } type Root { rooted: Query } type Query { a: Int }",
  ];
  for (const sdl of fine) {
    assert.deepEqual(composed(graphOf(...OURS), [typesOf("new", sdl)]).reasons, {}, sdl);
  }
});

Deno.test("composition - a refused version leaves the one before, and is taken once the conflict is gone", () => {
  const first = typesOf("paint", "type Query { colour: String }");
  const second = typesOf("paint", "type Query { colour: String  glue: String }");
  const glue = typesOf("glue", "type Query { glue: String }");
  const { graph, reasons } = composed(graphOf(first, glue), [second]);
  assert.equal(graph.get("paint"), first);
  assert.deepEqual(reasons, { paint: ["the query glue belongs to glue"] });
  const later = composed(graph, [second, typesOf("glue", "type Query { paste: String }")]);
  assert.deepEqual(later.reasons, {});
  assert.equal(later.graph.get("paint"), second);
});

Deno.test("composition - a field moves from one service to another in one step, whoever is looked at first", () => {
  const [one, other] = ["type Query { a: Int  moved: Int }", "type Query { b: Int }"];
  const [oneLater, otherLater] = ["type Query { a: Int }", "type Query { b: Int  moved: Int }"];
  const changes = [typesOf("one", oneLater), typesOf("other", otherLater)];
  for (const order of [changes, changes.toReversed()]) {
    const { graph, reasons } = composed(graphOf(typesOf("one", one), typesOf("other", other)), order);
    assert.deepEqual(reasons, {});
    assert.deepEqual(new Set(graph.values()), new Set(changes));
  }
});

Deno.test("composition - who yields makes way, and is refused from then on", () => {
  const guest = typesOf("guest", "type Query { me: String  guest: String }");
  const { graph, reasons } = composed(
    graphOf(guest),
    OURS,
    (service, other) => service === "guest" && other === "auth",
  );
  assert.deepEqual([...graph.keys()].sort(), ["auth", "counter", "notifications"]);
  assert.deepEqual(reasons, { guest: ["the query me belongs to auth"] });
});

Deno.test("composition - a non-null field that crosses services is nullable in the graph, and no other is", () => {
  const karma = typesOf(
    "karma",
    'type Query { best: [User!]!  _users(ids: [ID!]!): [User]! @merge(keyField: "id") } type User @key(selectionSet: "{ id }") { id: ID!  karma: Int!  marks: [Int!]! }',
  );
  const schema = stitched([...OURS, karma]);
  const user = schema.getType("User");
  assert.ok(isObjectType(user));
  const types = Object.values(user.getFields()).map(({ name, type }) => `${name}: ${type}`);
  for (const type of ["karma: Int", "marks: [Int!]", "sentCount: Int"]) assert.ok(types.includes(type), `${types}`);
  assert.deepEqual(types.filter((type) => type.endsWith("!")), ["id: ID!"]);
  assert.equal(`${schema.getQueryType()!.getFields().best!.type}`, "[User!]!");
});

/**
 * What the contract has as non-null though another service than its parent's gives it. The gateway's own objects are of events and of a
 * send, which come from notifications as well; and root fields, whose parent is the gateway.
 */
const PROMISED = {
  "gateway → notifications": [
    "Topic.createdAt",
    "Topic.createdBy",
    "Topic.name",
    "Topic.retentionDays",
    "Topic.status",
    "Topic.subscribed",
    "Topic.subscriberCount",
    "Topic.visibility",
  ],
};

Deno.test("composition - no non-null field crosses services, but for those that the contract promises", () => {
  const crossing = crossingFields([...OURS, { service: "gateway", schema: OWN }]);
  const found: Record<string, string[]> = {};
  for (const { service, from, type, field } of crossing) {
    for (const other of from) (found[`${other} → ${service}`] ??= []).push(`${type}.${field}`);
  }
  for (const fields of Object.values(found)) fields.sort();
  assert.deepEqual(found, PROMISED);
});

Deno.test("conflicts - a type and itself differ in nothing but what each owns", () => {
  const schema = buildSchema(
    "type Query { a(b: [Int!] = [1], c: I = { x: 1 }): A } type A { x: E } enum E { X } input I { x: Int = 2 }",
  );
  assert.deepEqual(conflictsBetween({ service: "one", schema }, { service: "other", schema }), [
    "the query a belongs to other",
  ]);
});
