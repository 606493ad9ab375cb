/** What is told of changes of the graph, and that it is bounded. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { buildSchema } from "graphql";
import { SchemaChanges } from "./schema_changes.ts";

const log = getLogger("test");

Deno.test("schema changes - the newest first, in each what breaks first, and nothing of a change that is none", async () => {
  const changes = new SchemaChanges(log);
  const one = buildSchema("type Query { a: Int  b: Int }");
  const two = buildSchema("type Query { b: Int  c: Int }");
  const three = buildSchema("type Query { b: Int!  c: Int }");
  await Promise.all([changes.record(one, one), changes.record(one, two), changes.record(two, three)]);
  assert.deepEqual(changes.latest(10).map(({ criticality, message }) => `${criticality} ${message}`), [
    "NON_BREAKING Field 'Query.b' changed type from 'Int' to 'Int!'",
    "BREAKING Field 'a' was removed from object type 'Query'",
    "NON_BREAKING Field 'c' was added to object type 'Query'",
  ]);
  assert.equal(changes.latest(1).length, 1);
  assert.ok(!Number.isNaN(Date.parse(changes.latest(1)[0]!.at)));
});

Deno.test("schema changes - 100 of one replacement and 500 in all are kept", async () => {
  const changes = new SchemaChanges(log);
  const none = buildSchema("type Query { a: Int }");
  const many = buildSchema(
    `type Query { a: Int ${Array.from({ length: 300 }, (_, nth) => `f${nth}: Int`).join(" ")} }`,
  );
  await changes.record(none, many);
  assert.equal(changes.latest(1_000).length, 101);
  assert.equal(changes.latest(1_000).at(-1)!.message, "and 200 further changes");
  for (let round = 0; round < 6; round++) await changes.record(many, none);
  assert.equal(changes.latest(1_000).length, 500);
});
