/**
 * A request to `POST /graphql` goes a short way, or a long one where something about it is unusual, such as an `Origin` (graphql_route.ts,
 * short_way.ts). Whatever is asked, both ways have the same answer.
 */

import assert from "node:assert/strict";
import { User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

const USER = "query ($id: ID!) { user(id: $id) { id } }";
const FIRST = "query ($first: Int) { users(first: $first) { edges { cursor } } }";
const TWO = "query A { __typename } query B { __typename }";
const BODIES: readonly unknown[] = [
  { query: "{ me { id email sentCount } unseenCount }" },
  { query: "{ me { id email sentCount } unseenCount }", variables: null, operationName: null, extensions: null },
  { query: "{ __schema { queryType { name } } me { sentCount } }" },
  { query: "{ nothing }" },
  { query: "{" },
  { query: "" },
  { query: null },
  { query: 1 },
  {},
  [],
  null,
  "{ __typename }",
  { query: TWO },
  { query: TWO, operationName: "B" },
  { query: TWO, operationName: "C" },
  { query: "{ __typename }", operationName: 1 },
  { query: "{ __typename }", variables: [] },
  { query: "{ __typename }", variables: "x" },
  { query: "{ __typename }", extensions: [] },
  { query: "{ __typename }", more: 1 },
  { query: USER },
  { query: USER, variables: { id: null } },
  { query: USER, variables: { id: {} } },
  { query: USER, variables: { id: "x" } },
  { query: FIRST, variables: { first: 0 } },
  { query: FIRST, variables: { first: 1.5 } },
  { query: FIRST, variables: { first: 1_000_000_000 } },
  { query: "subscription { unseenCountChanged }" },
  { query: "mutation { deleteTopic(topicId: 1) }" },
  { query: "{ me @defer { id } }" },
  { extensions: { persistedQuery: { version: 1, sha256Hash: "0".repeat(64) } } },
  { extensions: { persistedQuery: { version: 1, sha256Hash: "x" } } },
];
const JSON_TYPE = "application/json";
const GRAPHQL_TYPE = "application/graphql-response+json";
const ACCEPTED = [undefined, "*/*", JSON_TYPE, GRAPHQL_TYPE, `${GRAPHQL_TYPE}, ${JSON_TYPE};q=0.9`, "text/html"];

Deno.test("two ways - the short one and the long one have the same status, type and body for whatever is asked", async () => {
  await using system = await startSystem({ env: { NOTIFYX_LIMITS: "off" } });
  const ann = await User.register(system);
  const ask = async (body: unknown, headers: Record<string, string>) => {
    const response = await fetch(system.graphqlUrl, {
      method: "POST",
      headers: { "content-type": JSON_TYPE, ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(15_000),
    });
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };
  for (const body of BODIES) {
    for (const accept of ACCEPTED) {
      for (const token of [ann.token, undefined]) {
        const headers = {
          ...accept === undefined ? {} : { accept },
          ...token === undefined ? {} : { authorization: `Bearer ${token}` },
        };
        const note = `${JSON.stringify(body)} as ${accept}`;
        const short = await ask(body, headers);
        assert.deepEqual(await ask(body, { ...headers, origin: system.url() }), short, note);
        if (short.type?.startsWith(GRAPHQL_TYPE)) {
          assert.equal(short.status, "data" in JSON.parse(short.text) ? 200 : 400, note);
        }
      }
    }
  }
});
