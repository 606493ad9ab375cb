/** Server-sent events from the outside (graphql-sse, distinct connections): subscriptions and their errors, and other operations. */

import assert from "node:assert/strict";
import { Answers, assertNothingInternal } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

const SUBSCRIPTION =
  "subscription ($topicId: ID, $after: String) { notificationReceived(topicId: $topicId, after: $after) { message cursor from { email } } }";

Deno.test("event streams - carry subscriptions, with `next` for each result and `complete` at the end", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const url = system.graphqlUrl;
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const bearer = { authorization: `Bearer ${bob.token}` };
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  /** All events of an operation that ends by itself. */
  const events = async (query: string, variables: unknown = {}, headers: HeadersInit = bearer) => {
    await using stream = await EventStream.open(url, query, variables, headers);
    await stream.ended;
    for (const event of stream.events) assertNothingInternal(JSON.stringify(event));
    return stream.events;
  };

  await t.step("a subscription receives what is sent, by POST and by GET, and resumes", async () => {
    await using byPost = await EventStream.open(url, SUBSCRIPTION, { topicId }, bearer);
    await using byGet = await EventStream.open(url, SUBSCRIPTION, {}, bearer, "GET");
    assert.equal(byPost.response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    await listening(system, 2);
    const { cursor } = await ann.send(topicId, "first");
    await ann.send(topicId, "second\n\nevent: complete\ndata: no\r\n\r\u2028");
    for (const stream of [byPost, byGet]) {
      await until("two events", () => stream.events.length === 2);
      assert.deepEqual(stream.events[0], {
        event: "next",
        data: { data: { notificationReceived: { message: "first", cursor, from: { email: ann.email } } } },
      });
      assert.match(stream.events[1]!.data.data.notificationReceived.message, /^second\n\nevent: complete/);
    }
    await using resumed = await EventStream.open(url, SUBSCRIPTION, { after: cursor }, bearer);
    await until("what was missed", () => resumed.events.length === 1);
    assert.match(resumed.events[0]!.data.data.notificationReceived.message, /^second/);
  });

  await t.step("a client that goes ends its subscription", async () => {
    await listening(system, 0);
  });

  await t.step("an operation that fails says so in its one event", async () => {
    const failing: [string, unknown, string, HeadersInit?][] = [
      [SUBSCRIPTION, { topicId: "x" }, "NOT_FOUND"],
      [SUBSCRIPTION, { after: "x" }, "BAD_USER_INPUT"],
      [SUBSCRIPTION, { topicId: [1, 2] }, "BAD_USER_INPUT"],
      [SUBSCRIPTION, {}, "UNAUTHENTICATED", {}],
      ["{ me { id } }", {}, "UNAUTHENTICATED", {}],
      ["{ notifications(first: 0) { edges { cursor } } }", {}, "BAD_USER_INPUT"],
    ];
    for (const [query, variables, code, headers] of failing) {
      const [next, complete, ...more] = await events(query, variables, headers);
      assert.deepEqual([next!.event, next!.data.errors[0].extensions.code], ["next", code], query);
      assert.deepEqual([complete, more], [{ event: "complete", data: null }, []]);
    }
  });

  await t.step("queries and mutations come as one event too", async () => {
    assert.deepEqual(await events("{ me { id } }"), [
      { event: "next", data: { data: { me: { id: bob.id } } } },
      { event: "complete", data: null },
    ]);
    const [created] = await events('mutation { createTopic(name: "by events") { name } }');
    assert.deepEqual(created!.data, { data: { createTopic: { name: "by events" } } });
  });

  await t.step("what is no operation is refused before any event", async () => {
    const refused: [string, RequestInit, number, string][] = [
      ["a syntax error", { body: '{"query":"subscription {"}' }, 400, "BAD_USER_INPUT"],
      ["an unknown field", { body: '{"query":"subscription { nothing }"}' }, 400, "BAD_USER_INPUT"],
      [
        "two operations",
        { body: '{"query":"query A { me { id } } subscription B { notificationReceived { id } }"}' },
        400,
        "BAD_USER_INPUT",
      ],
      ["no JSON", { body: "{" }, 400, "BAD_USER_INPUT"],
      [
        "a wrong token",
        { body: '{"query":"{ me { id } }"}', headers: { authorization: "Bearer x" } },
        401,
        "UNAUTHENTICATED",
      ],
    ];
    for (const [name, init, status, code] of refused) {
      const headers = { "content-type": "application/json", accept: "text/event-stream", ...bearer, ...init.headers };
      const response = await fetch(url, { method: "POST", ...init, headers });
      const { errors } = await response.json();
      assert.deepEqual([response.status, errors[0].extensions.code], [status, code], name);
    }
    const { errors } = await bob.ask("subscription { notificationReceived { id } }");
    assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT", "a subscription whose caller takes no events");
  });

  assert(await answers.check() > 10);
});
