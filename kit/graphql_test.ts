import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { GraphQLError } from "graphql";
import { maskError } from "./graphql.ts";

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
