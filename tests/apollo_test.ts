/** Apollo's client on the whole system: it receives, goes on behind its last cursor after a cut, and hears of its session's end. */

import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import assert from "node:assert/strict";
import { User } from "./helpers/client.ts";
import { FlakyNetwork } from "./helpers/flaky_network.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

interface Received {
  readonly notificationReceived: { readonly message: string; readonly cursor: string };
}

Deno.test("apollo - a subscription goes on behind its last cursor after each cut, until its session ends", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using network = FlakyNetwork.to(system.url());
  const { cursor: begin } = await ann.send(topicId, "before");
  let cursor = begin;
  const client = createClient({
    url: network.url,
    connectionParams: { authorization: `Bearer ${bob.token}` },
    retryAttempts: Infinity,
    shouldRetry: (event) => (event as CloseEvent).code !== 4403,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
  });
  // Apollo copies variables when it subscribes; what the last link puts there is read again at each retry.
  const resuming = new ApolloLink((operation, forward) => {
    Object.defineProperty(operation.variables, "after", { enumerable: true, configurable: true, get: () => cursor });
    return forward(operation);
  });
  const apollo = new ApolloClient({
    link: ApolloLink.from([resuming, new GraphQLWsLink(client)]),
    cache: new InMemoryCache(),
  });
  const query = gql(
    "subscription ($after: String) { notificationReceived(after: $after) { message cursor from { email } } }",
  );
  const messages: string[] = [];
  const ended = Promise.withResolvers<unknown>();
  apollo.subscribe<Received>({ query, variables: { after: cursor } }).subscribe({
    next({ data, error }) {
      if (error !== undefined) return ended.resolve(error);
      ({ cursor } = data!.notificationReceived);
      messages.push(data!.notificationReceived.message);
    },
    error: ended.resolve,
    complete: () => ended.resolve("complete"),
  });
  const expected: string[] = [];
  for (let cut = 1; cut <= 3; cut++) {
    await listening(system, 1);
    for (const message of [`live ${cut}`, `live again ${cut}`]) {
      await ann.send(topicId, message);
      expected.push(message);
    }
    await until("they are there", () => messages.length === expected.length);
    network.cut();
    await listening(system, 0);
    await ann.send(topicId, `missed ${cut}`);
    expected.push(`missed ${cut}`);
    network.mend();
    await until("what was missed is there", () => messages.length === expected.length);
  }
  assert.deepEqual(messages, expected);

  await bob.get("mutation { logout }");
  const error = await ended.promise;
  assert.ok(CombinedGraphQLErrors.is(error), String(error));
  assert.equal(error.errors[0]!.extensions!.code, "UNAUTHENTICATED");
  await listening(system, 0);
  apollo.stop();
  await client.dispose();
});
