// deno-lint-ignore-file no-explicit-any -- the types of the recipe
/**
 * The peer: stock graphql-yoga and graphql-ws as their pages put them together (`ws` on node:http), the same schema and payload. Prints its
 * port. `POST /burst?count=N` publishes N notifications at once, `POST /one?nth=N` one; both answer when publish() was called, in
 * milliseconds since 1970. `GET /rss` is its memory in bytes, `GET /subscribed` how many listen.
 */

import { createServer } from "node:http";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { notification } from "./payload.ts";

let subscribed = 0;
const pubSub = createPubSub<{ received: [ReturnType<typeof notification>] }>();
const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: `
      type User { email: String }
      type Topic { id: ID!  name: String! }
      type Notification { id: ID!  message: String!  createdAt: String!  cursor: String  topic: Topic!  from: User! }
      type Query { ok: Boolean }
      type Subscription { notificationReceived: Notification! }`,
    resolvers: {
      Subscription: {
        notificationReceived: {
          subscribe: () => (subscribed++, pubSub.subscribe("received")),
          resolve: (received: unknown) => received,
        },
      },
    },
  }),
});
const server = createServer((request, response) => {
  const url = new URL(request.url!, "http://localhost");
  const at = performance.timeOrigin + performance.now();
  if (url.pathname === "/burst") {
    for (let nth = 0; nth < Number(url.searchParams.get("count")); nth++) pubSub.publish("received", notification(nth));
  } else if (url.pathname === "/one") pubSub.publish("received", notification(Number(url.searchParams.get("nth"))));
  else if (url.pathname === "/subscribed") return response.end(String(subscribed));
  else if (url.pathname === "/rss") return response.end(String(Deno.memoryUsage().rss));
  else return yoga(request, response);
  response.end(String(at));
});
const sockets = new WebSocketServer({ server, path: yoga.graphqlEndpoint });
// As Yoga's page on subscriptions has it.
useServer({
  execute: (args: any) => args.rootValue.execute(args),
  subscribe: (args: any) => args.rootValue.subscribe(args),
  onSubscribe: async (context: any, _id: string, params: any) => {
    const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
      ...context,
      req: context.extra.request,
      socket: context.extra.socket,
      params,
    });
    const args = {
      schema,
      operationName: params.operationName,
      document: parse(params.query),
      variableValues: params.variables,
      contextValue: await contextFactory(),
      rootValue: { execute, subscribe },
    };
    const errors = validate(args.schema, args.document);
    return errors.length > 0 ? errors : args;
  },
}, sockets);
server.listen(0, "127.0.0.1", () => console.log((server.address() as { port: number }).port));
