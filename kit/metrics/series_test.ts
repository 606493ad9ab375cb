/** Series don't grow with people: 10,000 users, documents and topics go through a service's own routes and GraphQL. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { UserError } from "../errors.ts";
import { createApp } from "../http.ts";
import { IDENTITY_HEADER, type IdentityVerifier } from "../identity.ts";
import { registry } from "../metrics.ts";
import { serveSubgraph, type SubgraphContext } from "../subgraph.ts";
import { Few, OTHER } from "./few.ts";

const MANY = 10_000;
const SDL = `
  type Topic { id: ID!  name: String! }
  type Query { _sdl: String!  topic(id: ID!): Topic!  gone(id: ID!): Topic  me: ID! }
  type Mutation { createTopic(name: String!): Topic! }
  type Subscription { topicChanged(id: ID!): Topic! }`;

async function start() {
  const log = getLogger("test");
  const app = createApp({ service: "test", secret: "a-secret", log, readyChecks: new Map(), statusPage: [] });
  const topic = (_: unknown, { id }: { id: string }) => ({ id, name: `the topic ${id}` });
  await serveSubgraph(app, {
    sdl: SDL,
    resolvers: {
      Query: {
        topic,
        gone: (_, { id }) => {
          throw new UserError("NOT_FOUND", `there is no topic ${id}`);
        },
        me: (_, __, { viewer }: SubgraphContext) => viewer!.userId,
      },
      Mutation: { createTopic: (_, { name }) => ({ id: name, name }) },
      Subscription: {
        topicChanged: {
          subscribe: async function* (_, { id }) {
            yield { topicChanged: { id, name: id } };
          },
        },
      },
    },
    // Whoever says who they are is believed.
    identities: { verify: (userId: string) => Promise.resolve({ userId }) } as unknown as IdentityVerifier,
    secret: "a-secret",
    stopping: new AbortController().signal,
    log,
  });
  return app;
}

Deno.test(`metrics - ${MANY} users, documents and topics make no series more than three do`, async () => {
  const app = await start();
  const ask = async (userId: string, query: string, accept = "application/json") => {
    const headers = { "content-type": "application/json", accept, [IDENTITY_HEADER]: userId };
    const response = await app.request("/graphql", { method: "POST", headers, body: JSON.stringify({ query }) });
    return await response.text();
  };
  /** What one user does, of which hardly anything was ever said by another one. */
  const act = async (number: number) => {
    const [user, topic, name] = [`user-${number}`, `topic-${number}`, `n${number}`];
    const answers = [
      `query ${name} { ${name}: topic(id: "${topic}") { ${name}: name } me }`,
      `mutation ${name} { ${name}: createTopic(name: "${topic}") { id } }`,
      `query ${name} { ${name}: gone(id: "${topic}") { id } }`,
      `{ ${name} }`,
    ];
    // Each in turn, and at first all of them.
    for (const [at, query] of answers.entries()) {
      if (number < 3 || at === number % answers.length) assert.match(await ask(user, query), new RegExp(name));
    }
    if (number < 3 || number % 20 === 0) {
      const stream = await ask(user, `subscription ${name} { topicChanged(id: "${topic}") { ${name}: id } }`, EVENTS);
      assert.match(stream, new RegExp(topic));
    }
    for (const [method, path] of [["GET", `/${topic}`], ["DELETE", `/graphql/${user}`], [`M${number}`, "/graphql"]]) {
      await (await app.request(path!, { method })).body?.cancel();
    }
  };
  for (let number = 0; number < 3; number++) await act(number);
  const before = await series();
  for (let number = 3; number < MANY; number++) await act(number);
  const after = await series();
  assert.deepEqual(after, before);
  // Of what was asked something is told.
  for (const one of [/type="query",field="several"/, /field="topicChanged"/, /code="NOT_FOUND"/, /route="unmatched"/]) {
    assert.ok(after.some((name) => one.test(name)), String(one));
  }
});

const EVENTS = "text/event-stream";

/** Each sample's name and labels. */
async function series(): Promise<string[]> {
  const samples = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return samples.map((line) => line.slice(0, line.lastIndexOf(" "))).sort();
}

Deno.test("metrics - of names that others choose the first keep their series, and all that come later share one", () => {
  const few = new Few(2);
  assert.deepEqual(["a", "b", "c", "a", "d", "b"].map((name) => few.of(name)), ["a", "b", OTHER, "a", OTHER, "b"]);
});
