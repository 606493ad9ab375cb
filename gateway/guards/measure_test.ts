/** What a document is measured as: its cost, its limits, and where it signs in. */

import assert from "node:assert/strict";
import { buildSchema, parse } from "graphql";
import { UserError } from "../../kit/errors.ts";
import { costWith, type Variables } from "./cost.ts";
import { type DocumentLimits, measureDocument } from "./measure.ts";

const SCHEMA = buildSchema(`
  type Query {
    me: User!
    users(first: Int = 50, after: String): Users!
    all: [User!]!
    some(ids: [ID!]!): [User]!
    either: Either
  }
  type Mutation {
    login(email: String!, password: String!): User
    requestPasswordReset(email: String!): Boolean
    rename(name: String!): User
  }
  type Users { edges: [Edge!]!  pageInfo: String }
  type Edge { node: User!  cursor: String }
  type User { id: ID!  friends(last: Int, first: Int = 5): Users }
  type Robot { id: ID! }
  union Either = User | Robot
`);
const LIMITS: DocumentLimits = { depth: 8, fields: 200, aliases: 5, directives: 5 };

function measure(text: string, limits: Partial<DocumentLimits> = {}) {
  return measureDocument(parse(text), SCHEMA, { ...LIMITS, ...limits });
}

function cost(text: string, variables?: Variables): number {
  return costWith([...measure(text).operations.values()][0]!.cost, variables);
}

function refusal(text: string, limits?: Partial<DocumentLimits>): string {
  try {
    measure(text, limits);
  } catch (error) {
    assert(error instanceof UserError);
    assert.equal(error.code, "BAD_USER_INPUT");
    return error.message;
  }
  return "none";
}

Deno.test("measure - each field costs one, as often as the lists around it are long", () => {
  assert.equal(cost("{ me { id } }"), 2);
  assert.equal(cost("{ users(first: 20) { edges { node { id } } pageInfo } }"), 1 + 20 * 3 + 1);
  assert.equal(cost("{ users { edges { cursor } } }"), 1 + 50 * 2);
  assert.equal(cost("{ users(first: null) { edges { cursor } } }"), 1 + 50 * 2);
  assert.equal(cost("{ users(first: 2147483647) { edges { cursor } } }"), 1 + 2147483647 * 2);
  assert.equal(cost("{ users(first: -1) { edges { cursor } } }"), 1);
  assert.equal(cost('{ some(ids: ["a", "b", "c"]) { id } }'), 3 * 2);
  assert.equal(cost("{ all { id } }"), 10 * 2);
  const nested = "{ users(first: 20) { edges { node { friends(last: 3) { edges { cursor } } } } } }";
  assert.equal(cost(nested), 1 + 20 * (1 + 1 + 1 + 3 * 2));
  assert.equal(cost("{ either { ... on User { id } ... on Robot { id } } }"), 3);
});

Deno.test("measure - a fragment costs wherever it is spread", () => {
  assert.equal(cost("{ a: me { ...F } b: me { ...F } } fragment F on User { id friends { pageInfo } }"), 2 * 4);
  assert.equal(
    cost("{ ...Q } fragment Q on Query { users(first: 4) { ...E } } fragment E on Users { edges { cursor } }"),
    9,
  );
});

Deno.test("measure - variables say how long lists are", () => {
  const page = "query ($n: Int) { users(first: $n) { edges { node { friends(last: $n) { edges { cursor } } } } } }";
  assert.equal(cost(page, { n: 3 }), 1 + 3 * (3 + 3 * 2));
  assert.equal(cost(page, { n: 0 }), 1);
  for (const variables of [{}, null, undefined]) assert.equal(cost(page, variables), 1 + 50 * (3 + 10 * 2));
  assert.equal(cost("query ($n: Int = 7) { users(first: $n) { edges { cursor } } }"), 1 + 7 * 2);
  const ids = "query ($ids: [ID!]!) { some(ids: $ids) { id } }";
  assert.equal(cost(ids, { ids: ["a", "b"] }), 4);
  assert.equal(cost("query ($constructor: Int) { users(first: $constructor) { edges { cursor } } }", {}), 101);
});

Deno.test("measure - what is too much is refused, by its limit", () => {
  assert.equal(refusal("{ me { friends { edges { node { friends { edges { node { id } } } } } } } }"), "none");
  assert.match(
    refusal("{ me { friends { edges { node { friends { edges { node { friends { pageInfo } } } } } } } } }"),
    /8 levels/,
  );
  assert.equal(refusal(`{ ${"me { id } ".repeat(100)} }`), "none");
  assert.match(refusal(`{ ${"me { id } ".repeat(101)} }`), /200 fields/);
  assert.match(refusal(`{ me { ${"... { ".repeat(300)} id ${"}".repeat(300)} } }`), /200 fields/);
  assert.equal(refusal("{ a: me { b: id c: id } d: me { e: id } }"), "none");
  assert.match(refusal("{ a: me { b: id c: id } d: me { e: id f: id } }"), /5 aliases/);
  assert.match(
    refusal("{ ...F ...G } fragment F on Query { ...G ...G } fragment G on Query { a: me { b: id } }"),
    /5 aliases/,
  );
  assert.match(refusal(`{ me { ${"id @skip(if: false) ".repeat(6)} } }`), /5 directives/);
  assert.match(refusal(`query ${"@x ".repeat(6)} { me { id } }`), /5 directives/);
});

Deno.test("measure - fragments that double each time are refused without being followed to their end", () => {
  const doubling = Array.from({ length: 40 }, (_, nth) => `fragment F${nth} on User { ...F${nth + 1} ...F${nth + 1} }`);
  assert.match(refusal(`{ me { ...F0 } } ${doubling.join(" ")} fragment F40 on User { id }`), /200 fields/);
  const unused = `{ me { id } } fragment F on User { ${"id ".repeat(300)} }`;
  assert.match(refusal(unused), /200 fields/);
});

Deno.test("measure - circles and what the schema doesn't know are left for validation to name", () => {
  for (
    const text of [
      "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
      "{ me { ...Missing } }",
      "{ nothing { more } me { nothing { id } ... on Nothing { id } } }",
      "subscription { nothing }",
      "fragment F on Nothing { id }",
    ]
  ) assert.equal(refusal(text), "none", text);
});

Deno.test("measure - introspection has no depth and a cost of its own, and as many fields as any", () => {
  const deep =
    "{ __schema { types { fields { type { ofType { ofType { ofType { ofType { ofType { name } } } } } } } } } }";
  assert.equal(refusal(deep), "none");
  assert.equal(cost(deep), 20_000);
  assert.equal(cost('{ __typename __type(name: "User") { fields { name } } }'), 2);
  assert.match(refusal(`{ __schema { types { ${"name ".repeat(300)} } } }`), /200 fields/);
});

Deno.test("measure - fields that are about passwords are found wherever they stand, and whose they are", () => {
  const signIns = (text: string) =>
    [...measure(text).operations.values()].map((one) => one.signIns.map((two) => two.account));
  assert.deepEqual(signIns('mutation { login(email: "a", password: "x") { id } }'), [["a"]]);
  assert.deepEqual(
    signIns(
      'mutation ($e: String!) { a: login(email: $e, password: "x") { id } ...F requestPasswordReset(email: "c") } fragment F on Mutation { b: login(password: "x", email: "b") { id } }',
    ),
    [[{ variable: "e", otherwise: undefined }, "b", "c"]],
  );
  assert.deepEqual(signIns('mutation A { rename(name: "x") { id } } mutation B { requestPasswordReset(email: "c") }'), [
    [],
    ["c"],
  ]);
  assert.deepEqual(signIns('mutation ($e: String! = "d") { login(email: $e, password: "x") { id } }'), [
    [{ variable: "e", otherwise: "d" }],
  ]);
  // A hundred of them are no aliases too many: rates count them.
  const many = Array.from({ length: 100 }, (_, nth) => `a${nth}: requestPasswordReset(email: "${nth}")`);
  assert.equal(signIns(`mutation { ${many.join(" ")} }`)[0]!.length, 100);
});
