/** A service's GraphQL, of which somebody waits until a deadline. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { DEADLINE_HEADER } from "./deadline.ts";
import { createApp } from "./http.ts";
import type { IdentityVerifier } from "./identity.ts";
import { serveSubgraph } from "./subgraph.ts";
import { delay } from "./time.ts";

const SECRET = "a-secret";
const SDL = `
  scalar DateTime
  type Thing { name: String  slow(ms: Int!): Thing }
  type Query { _sdl: String!  thing: Thing }
  type Mutation { make(ms: Int!): Thing }`;

/** `work` has the names of the resolvers that began. */
async function start() {
  const work: string[] = [];
  const slow = (name: string) => async (_: unknown, { ms }: { ms: number }) => {
    work.push(name);
    await delay(ms);
    return {};
  };
  const resolvers = {
    Query: { thing: () => (work.push("thing"), {}) },
    Mutation: { make: slow("make") },
    Thing: { slow: slow("slow"), name: () => (work.push("name"), "a name") },
  };
  const log = getLogger("test");
  const app = createApp({ service: "test", secret: SECRET, log, readyChecks: new Map(), statusPage: [] });
  await serveSubgraph(app, {
    sdl: SDL,
    resolvers,
    identities: {} as IdentityVerifier,
    secret: SECRET,
    stopping: new AbortController().signal,
    log,
  });
  const ask = async (query: string, deadline?: string) => {
    work.length = 0;
    const headers = { "content-type": "application/json", authorization: `Bearer ${SECRET}` };
    const response = await app.request("/graphql", {
      method: "POST",
      headers: deadline === undefined ? headers : { ...headers, [DEADLINE_HEADER]: deadline },
      body: JSON.stringify({ query }),
    });
    return { status: response.status, body: await response.json(), work: [...work] };
  };
  return ask;
}

Deno.test("subgraph - a deadline that has passed is TIMEOUT at once, for queries and mutations", async () => {
  const ask = await start();
  for (const query of ["{ thing { name } }", "mutation { make(ms: 0) { name } }", "no GraphQL"]) {
    const { status, body, work } = await ask(query, String(Date.now() - 1));
    assert.deepEqual([status, body.code, work], [504, "TIMEOUT", []]);
  }
});

Deno.test("subgraph - nothing begins any more once the deadline passes; what came before it is there", async () => {
  const ask = await start();
  const { body, work } = await ask(
    "{ thing { name slow(ms: 800) { name slow(ms: 0) { name } } } }",
    `${Date.now() + 500}`,
  );
  assert.deepEqual(work, ["thing", "name", "slow"]);
  assert.deepEqual(body.data, { thing: { name: "a name", slow: { name: null, slow: null } } });
  assert.deepEqual(
    body.errors.map(({ path, extensions }: { path: string[]; extensions: unknown }) => [path.join("."), extensions]),
    [["thing.slow.name", { code: "TIMEOUT" }], ["thing.slow.slow", { code: "TIMEOUT" }]],
  );
});

Deno.test("subgraph - without a deadline, with a later one, and with a header that is none, all is answered", async () => {
  const ask = await start();
  for (const deadline of [undefined, String(Date.now() + 60_000), "", "soon", "-5", "1e3", "9".repeat(15)]) {
    const { status, body } = await ask("{ thing { name } }", deadline);
    assert.deepEqual([status, body], [200, { data: { thing: { name: "a name" } } }], `${deadline}`);
  }
});
