/** The same protocol through the clients that people use: npm `graphql-ws` itself, and Apollo's on top of it. */

import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { type Client, type ClientOptions, createClient } from "graphql-ws";
import assert from "node:assert/strict";
import { type SocketServer, startSocketServer } from "./helpers/socket_server.ts";
import { until } from "./helpers/system.ts";

const EVENTS = "subscription { events }";

interface Heard {
  readonly client: Client;
  readonly connected: number[];
  readonly closes: number[];
}

function connect(server: SocketServer, token = "ann", options: Partial<ClientOptions> = {}): Heard {
  const connected: number[] = [];
  const closes: number[] = [];
  const client = createClient({
    url: server.graphqlUrl.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${token}` },
    retryWait: () => Promise.resolve(),
    on: { connected: () => connected.push(Date.now()), closed: (event) => closes.push((event as CloseEvent).code) },
    ...options,
  });
  return { client, connected, closes };
}

/** A subscription that keeps the numbers of the events it gets, and how it ended. */
function listen(client: Client, query = EVENTS) {
  const heard = { numbers: [] as number[], end: undefined as unknown, stop: () => {} };
  heard.stop = client.subscribe<{ events: string }>({ query }, {
    next: ({ data }) => heard.numbers.push(Number(data!.events.split(" ")[0])),
    error: (error) => heard.end = error,
    complete: () => heard.end = "complete",
  });
  return heard;
}

const running = (server: SocketServer, count: number) =>
  until(`${count} subscriptions`, async () => (await server.stats()).running === count);

/** The one result of a query or a mutation. */
async function ask(client: Client, query: string, variables?: Record<string, unknown>) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  assert.equal(results.length, 1);
  return results[0]!;
}

Deno.test("socket clients - graphql-ws: many operations on one socket, each with its own end", async () => {
  await using server = await startSocketServer();
  const { client, connected, closes } = connect(server, "ann", { keepAlive: 50 });
  const [first, second] = [listen(client), listen(client)];
  await running(server, 2);
  assert.deepEqual((await ask(client, "{ hello }")).data, { hello: "hello" });
  assert.deepEqual((await ask(client, "mutation ($ms: Int!) { wait(ms: $ms) }", { ms: 20 })).data, { wait: 1 });
  const failed = await ask(client, "{ fails }");
  assert.deepEqual([failed.data, failed.errors![0]!.extensions!.code], [{ fails: null }, "INTERNAL"]);
  for (
    const [query, code] of [["{", "BAD_USER_INPUT"], ["{ nothing }", "BAD_USER_INPUT"], [
      "subscription { refused }",
      "FORBIDDEN",
    ]]
  ) {
    await assert.rejects(
      ask(client, query!),
      (errors: { extensions: { code: string } }[]) => errors[0]!.extensions.code === code,
    );
  }
  await assert.rejects(ask(client, "mutation ($ms: Int!) { wait(ms: $ms) }"));
  await server.publish(0, 1);
  await until("both have it", () => first.numbers.length + second.numbers.length === 2);
  first.stop();
  await running(server, 1);
  await server.publish(1, 2);
  await until("one has it", () => second.numbers.length === 2);
  assert.deepEqual([first.numbers, second.numbers], [[0], [0, 1]]);
  assert.deepEqual([connected.length, closes], [1, []]);
  second.stop();
  await until("the socket is closed", () => closes.length === 1);
  assert.deepEqual([first.end, second.end], ["complete", "complete"]);
  await running(server, 0);
  await client.dispose();
});

Deno.test("socket clients - graphql-ws: a bad token is 4403, an ended session an error before that", async () => {
  await using server = await startSocketServer();
  const bad = connect(server, "bad", { retryAttempts: 0 });
  await assert.rejects(ask(bad.client, "{ hello }"), { code: 4403 });
  const { client, closes } = connect(server, "ann");
  const heard = listen(client);
  await running(server, 1);
  await server.endSession("ann");
  await until("it has ended", () => heard.end !== undefined);
  assert.equal((heard.end as { extensions: { code: string } }[])[0]!.extensions.code, "UNAUTHENTICATED");
  await until("the socket is closed", () => closes.length === 1);
  assert.deepEqual(closes, [4403]);
  await Promise.all([client.dispose(), bad.client.dispose()]);
});

Deno.test("socket clients - graphql-ws comes back by itself after a drain", async () => {
  const servers = [await startSocketServer(), await startSocketServer()];
  await using first = servers[0]!;
  await using second = servers[1]!;
  let to = first;
  const { client, closes } = connect(first, "ann", { url: () => to.graphqlUrl.replace(/^http/, "ws") });
  const heard = listen(client);
  await running(first, 1);
  await first.publish(0, 1);
  await until("the first", () => heard.numbers.length === 1);
  to = second;
  first.stop();
  await running(second, 1);
  await second.publish(1, 2);
  await until("the second", () => heard.numbers.length === 2);
  assert.deepEqual([heard.numbers, heard.end, closes], [[0, 1], undefined, [1012]]);
  heard.stop();
  await client.dispose();
});

Deno.test("socket clients - Apollo: queries, mutations, subscriptions and their errors over one socket", async () => {
  await using server = await startSocketServer();
  // Lazily, graphql-ws 6.4 would count an operation twice that Apollo lets go of in the turn of its error, and close the socket.
  const { client, connected, closes } = connect(server, "ann", { lazy: false });
  const apollo = new ApolloClient({ link: new GraphQLWsLink(client), cache: new InMemoryCache() });
  const numbers: number[] = [];
  const subscription = apollo.subscribe<{ events: string }>({ query: gql(EVENTS) }).subscribe(({ data }) =>
    numbers.push(Number(data!.events.split(" ")[0]))
  );
  await running(server, 1);
  assert.deepEqual((await apollo.query({ query: gql("{ hello }") })).data, { hello: "hello" });
  const wait = gql("mutation ($ms: Int!) { wait(ms: $ms) }");
  assert.deepEqual((await apollo.mutate({ mutation: wait, variables: { ms: 1 } })).data, { wait: 1 });
  const codeOf = (code: string) => (error: unknown) =>
    CombinedGraphQLErrors.is(error) && error.errors[0]!.extensions!.code === code;
  await assert.rejects(apollo.query({ query: gql("{ nothing }") }), codeOf("BAD_USER_INPUT"));
  await assert.rejects(apollo.query({ query: gql("{ fails }") }), codeOf("INTERNAL"));
  const refused = Promise.withResolvers<unknown>();
  apollo.subscribe({ query: gql("subscription { refused }") }).subscribe({
    next: ({ error }) => error && refused.resolve(error),
    error: refused.resolve,
  });
  assert.ok(codeOf("FORBIDDEN")(await refused.promise));
  for (let number = 0; number < 100; number += 10) await server.publish(number, number + 10);
  await until("all came", () => numbers.length === 100);
  assert.deepEqual(numbers, Array.from({ length: 100 }, (_, index) => index));
  assert.deepEqual([connected.length, closes], [1, []]);
  subscription.unsubscribe();
  await running(server, 0);
  apollo.stop();
  await client.dispose();
});

Deno.test("socket clients - permessage-deflate: off unless it is set, and then the same messages", async () => {
  for (const compression of ["off", "on"]) {
    await using server = await startSocketServer({ NOTIFYX_SOCKET_COMPRESSION: compression });
    const socket = new WebSocket(server.graphqlUrl.replace(/^http/, "ws"), "graphql-transport-ws");
    const messages: { type: string; id?: string; payload?: { data: { events: string } } }[] = [];
    socket.onmessage = ({ data }) => messages.push(JSON.parse(data));
    await new Promise((resolve) => socket.onopen = resolve);
    socket.send(JSON.stringify({ type: "connection_init" }));
    await until("it is acknowledged", () => messages.length === 1);
    const query = "subscription ($bytes: Int) { events(bytes: $bytes) }";
    for (const bytes of [100, 100_000]) {
      socket.send(JSON.stringify({ id: `${bytes}`, type: "subscribe", payload: { query, variables: { bytes } } }));
    }
    await running(server, 2);
    await server.publish(0, 50);
    await until("all came", () => messages.length === 101);
    for (const bytes of [100, 100_000]) {
      const own = messages.filter(({ id }) => id === `${bytes}`).map(({ payload }) => payload!.data.events);
      assert.deepEqual(own.map((text) => [Number(text.split(" ")[0]), text.length]), own.map((_, n) => [n, bytes]));
    }
    const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
    await server.endSession("nobody");
    socket.send("x");
    assert.equal((await closed).code, 4400);
  }
});
