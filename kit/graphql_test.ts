import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { buildSchema, execute, graphql, GraphQLError, parse } from "graphql";
import { lookupsOf } from "./cache_metrics.ts";
import { DocumentCache, maskError } from "./graphql.ts";

Deno.test("graphql - what a resolver's database says is masked: away, too slow, or internal, and never its text", () => {
  // Not configured: it writes nothing.
  const log = getLogger("test");
  const codeOf = (code: string | undefined) => {
    const original = Object.assign(new Error("select secret from users"), { code });
    const masked = maskError(new GraphQLError(original.message, { path: ["me"], originalError: original }), log);
    assert.doesNotMatch(masked.message, /secret/);
    return masked.extensions.code;
  };
  assert.deepEqual(["ECONNREFUSED", "57P01", "55P03", "57014"].map(codeOf), [
    "SERVICE_UNAVAILABLE",
    "SERVICE_UNAVAILABLE",
    "TIMEOUT",
    "TIMEOUT",
  ]);
  assert.equal(codeOf("22P02"), "INTERNAL");
});

Deno.test("graphql - of what goes wrong in a field only what is wrong with its arguments is the request's", async () => {
  const schema = buildSchema("type Query { sum(of: Int!): Int  other: Int! }");
  const codes = async (source: string, rootValue: unknown) => {
    const { errors = [] } = await graphql({ schema, source, rootValue });
    const masked = errors.map((error) => maskError(error, getLogger("test")));
    for (const { message } of masked) assert.doesNotMatch(message, /secret/);
    return masked.map(({ extensions }) => extensions.code);
  };
  assert.deepEqual(await codes("query ($of: Int = 1) { sum(of: $of) }", { sum: () => 1 }), []);
  assert.deepEqual(await codes("{ sum }", {}), ["BAD_USER_INPUT"]);
  // A variable that is null at last, which validation can't know.
  const args = { schema, document: parse("query ($of: Int = 1) { sum(of: $of) }"), variableValues: { of: null } };
  const [error] = (await execute(args)).errors!;
  assert.equal(maskError(error!, getLogger("test")).extensions.code, "BAD_USER_INPUT");
  for (const value of ["secret", { secret: 1 }, new Error("secret"), Promise.reject(new Error("secret"))]) {
    assert.deepEqual(await codes("{ sum(of: 1) }", { sum: () => value }), ["INTERNAL"]);
  }
  assert.deepEqual(await codes("{ other }", {}), ["INTERNAL"]);
  assert.equal(maskError(new Error("secret"), getLogger("test")).message, "internal error");
});

Deno.test("document cache - what came twice is kept, however many come once, and errors still say where", () => {
  const documents = new DocumentCache(
    buildSchema("type Query { sum(of: [Int!]): Int } type Subscription { sums: Int }"),
  );
  const check = (source: string) => documents.check(source);

  const lookups = lookupsOf("documents");
  const before = { ...lookups };
  const known = ["{ sum }", "{ product }"].map((source) => (check(source), check(source)));
  for (let number = 0; number < 5_000; number++) check(`{ sum(of: ${number}) }`);
  assert.deepEqual([lookups.hits, lookups.misses], [before.hits, before.misses + 5_004]);
  assert.equal(check("{ sum }"), known[0]);
  assert.equal(check("{ product }"), known[1]);
  assert.equal(lookups.hits, before.hits + 2);
  assert.notEqual(check("{ sum(of: 5000) }"), check("{ sum(of: 5000) }"));
  assert.equal(check("subscription { sums }"), check("subscription { sums }"));

  const [correct, wrong] = known;
  assert(correct !== undefined && "document" in correct && wrong !== undefined && "errors" in wrong);
  const [operation] = correct.document.definitions;
  assert.deepEqual(new GraphQLError("late", operation).locations, [{ line: 1, column: 1 }]);
  assert.deepEqual(wrong.errors.map(({ locations }) => locations), [[{ line: 1, column: 3 }]]);
});
