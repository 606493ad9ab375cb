/** WebSockets as browsers and stock clients open them: what an upgrade is refused for, and npm `graphql-ws`'s own client, which resumes. */

import { createClient } from "graphql-ws";
import assert from "node:assert/strict";
import { WebSocket as NodeSocket } from "ws";
import { SECOND, withTimeLimit } from "../kit/time.ts";
import { assertNothingInternal } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

const ALLOWED = "https://app.example";

Deno.test("upgrades - only to /graphql, and from pages that may", async () => {
  await using system = await startSystem({ env: { NOTIFYX_ALLOWED_ORIGINS: ALLOWED } });
  /** The status and the code that an upgrade is refused with; 101 where it isn't. */
  const outcome = (path: string, origin?: string) =>
    withTimeLimit(
      "the upgrade",
      5 * SECOND,
      new Promise<unknown[]>((resolve, reject) => {
        const socket = new NodeSocket(`${system.url().replace("http", "ws")}${path}`, "graphql-transport-ws", {
          origin,
        });
        socket.on("open", () => (socket.close(), resolve([101])));
        socket.on("error", reject);
        socket.on("unexpected-response", (_, response) => {
          let body = "";
          response.on("data", (chunk) => body += chunk);
          response.on("end", () => {
            assertNothingInternal(body);
            resolve([response.statusCode, JSON.parse(body).code]);
          });
        });
      }),
    );
  for (const path of ["/", "/graphql/", "/graphql/x", "/api/feed", "//graphql", "/GRAPHQL"]) {
    assert.deepEqual(await outcome(path), [404, "NOT_FOUND"], path);
  }
  const own = system.url();
  for (
    const origin of ["https://evil.example", "null", `${own}.evil.example`, "http://app.example", `${ALLOWED}:8443`]
  ) {
    assert.deepEqual(await outcome("/graphql", origin), [403, "FORBIDDEN"], origin);
  }
  for (const origin of [undefined, own, ALLOWED]) {
    assert.deepEqual(await outcome("/graphql", origin), [101], `${origin}`);
  }
  assert.deepEqual(await outcome("/graphql?x=1"), [101]);
});

Deno.test("upgrades - a stock graphql-ws client receives, and resumes behind its last cursor after a cut", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const received: string[] = [];
  let after: string | null = null;
  let connections = 0;
  let cut = () => {};
  let mayRetry = Promise.resolve();
  const client = createClient({
    url: system.graphqlUrl.replace(/^http/, "ws"),
    connectionParams: { authorization: `Bearer ${bob.token}` },
    retryWait: () => mayRetry,
    on: {
      connected: (socket) => {
        connections++;
        cut = () => (socket as WebSocket).close(4_999, "cut");
      },
    },
  });
  const ended = Promise.withResolvers<void>();
  const stop = client.subscribe<{ notificationReceived: { message: string; cursor: string } }>({
    query: "subscription ($after: String) { notificationReceived(after: $after) { message cursor } }",
    // Read anew at each subscribe, the retries included.
    get variables() {
      return { after };
    },
  }, {
    next({ data, errors }) {
      assert.equal(errors, undefined);
      received.push(data!.notificationReceived.message);
      after = data!.notificationReceived.cursor;
    },
    error: ended.reject,
    complete: ended.resolve,
  });

  await listening(system, 1);
  await ann.send(topicId, "live");
  await until("the first", () => received.length === 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  mayRetry = promise;
  cut();
  await listening(system, 0);
  for (const message of ["missed 1", "missed 2"]) await ann.send(topicId, message);
  resolve();
  await until("what was missed", () => received.length === 3);
  await ann.send(topicId, "live again");
  await until("the last", () => received.length === 4);
  stop();
  await ended.promise;
  await client.dispose();
  assert.deepEqual(received, ["live", "missed 1", "missed 2", "live again"]);
  assert.equal(connections, 2);
  await listening(system, 0);
});
