/** What is measured of operations: by the schema's names, whatever clients call them. */

import assert from "node:assert/strict";
import { buildSchema, GraphQLError } from "graphql";
import type { Counter, Histogram } from "prom-client";
import { UserError } from "./errors.ts";
import { DocumentCache, type Execute } from "./graphql.ts";
import { registry } from "./metrics.ts";

const SCHEMA = buildSchema(`
  type Query { user(id: ID): String  topic(id: ID): String  fails: String }
  type Mutation { send: Boolean  leave: Boolean }`);
const durations = registry.getSingleMetric("notifyx_graphql_operation_duration_seconds") as Histogram;
const errors = registry.getSingleMetric("notifyx_graphql_operation_errors_total") as Counter;

function execute(source: string, run: Execute, operationName?: string) {
  const checked = new DocumentCache(SCHEMA, () => run).check(source);
  assert.ok("execute" in checked, source);
  return checked.execute({ operationName, variables: undefined }, undefined);
}

/** By their labels, how often each was measured. */
async function counts(): Promise<Record<string, number>> {
  const { values } = await durations.get();
  const ends = values.filter(({ metricName }) => metricName?.endsWith("_count"));
  const failed = (await errors.get()).values;
  return Object.fromEntries([
    ...ends.map(({ labels, value }) => [`${labels.type} ${labels.field}`, value]),
    ...failed.map(({ labels, value }) => [`${labels.type} ${labels.field} ${labels.code}`, value]),
  ]);
}

/** What `step` adds to them. */
async function added(step: () => unknown): Promise<Record<string, number>> {
  const before = await counts();
  await step();
  const after = await counts();
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const).filter(([, by]) =>
      by > 0
    ),
  );
}

Deno.test("graphql operations - each goes by its type and the schema's name of its root field", async () => {
  const cases: [source: string, measured: string, operationName?: string][] = [
    ["{ user }", "query user"],
    ["query AnyName($id: ID) { anAlias: user(id: $id)  another: user  __typename }", "query user"],
    ["query A { user } query B { topic } mutation C { send }", "query topic", "B"],
    ["query A { user } query B { topic } mutation C { send }", "mutation send", "C"],
    ["{ user topic }", "query several"],
    ["{ ...a } fragment a on Query { ...b ... on Query { topic } } fragment b on Query { topic }", "query topic"],
    ["mutation { send leave }", "mutation several"],
    ["{ __schema { queryType { name } } __typename }", "query introspection"],
  ];
  for (const [source, measured, operationName] of cases) {
    const run = () => execute(source, () => ({ data: {} }), operationName);
    assert.deepEqual(await added(run), { [measured]: 1 }, source);
  }
  assert.deepEqual(await added(() => execute("query A { user }", () => ({ data: {} }), "None")), {});
});

Deno.test("graphql operations - what ends in an error counts by the code of the first, also where it is thrown", async () => {
  const outcomes: [run: Execute, code: string][] = [
    [
      () => ({ data: null, errors: [new UserError("NOT_FOUND", "none"), new UserError("CONFLICT", "no")] }),
      "NOT_FOUND",
    ],
    [() => Promise.resolve({ errors: [new GraphQLError("its variables")] }), "BAD_USER_INPUT"],
    [() => Promise.reject(new UserError("TIMEOUT", "too slow")), "TIMEOUT"],
    [() => Promise.reject(Object.assign(new Error("gone"), { code: "ECONNREFUSED" })), "SERVICE_UNAVAILABLE"],
    [() => {
      throw new Error("a fault of ours");
    }, "INTERNAL"],
  ];
  for (const [run, code] of outcomes) {
    const step = async () => {
      await Promise.resolve().then(() => execute("{ fails }", run)).catch(() => {});
    };
    assert.deepEqual(await added(step), { "query fails": 1, [`query fails ${code}`]: 1 });
  }
  // An answer that came as text holds none.
  assert.deepEqual(await added(() => execute("{ fails }", () => '{"data":{"fails":null}}')), { "query fails": 1 });
});
