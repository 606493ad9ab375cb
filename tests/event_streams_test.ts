/** Server-sent events from the outside (graphql-sse, distinct connections): subscriptions and their errors, and other operations. */

import assert from "node:assert/strict";
import { Answers, assertNothingInternal } from "./helpers/answers.ts";
import { Socket, User } from "./helpers/client.ts";
import { EventStream } from "./helpers/event_stream.ts";
import { listening, metric, startSystem, until } from "./helpers/system.ts";

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

  await t.step("each event's id is its cursor, and with Last-Event-ID it goes on behind it", async () => {
    const first = await EventStream.open(url, "subscription { notificationReceived { message } }", {}, bearer);
    await listening(system, 1);
    const begun = first.lastEventId!;
    const cursors: (string | null)[] = [];
    for (const message of ["one", "two", "three"]) cursors.push((await ann.send(topicId, message)).cursor);
    await until("three events", () => first.events.length === 3);
    assert.deepEqual(first.ids, cursors);
    assert.equal(first.lastEventId, cursors[2]);
    await first[Symbol.asyncDispose]();

    const messages = async (lastEventId: string, variables: unknown, how: "GET" | "POST", count: number) => {
      await using stream = await EventStream.open(
        url,
        SUBSCRIPTION,
        variables,
        { ...bearer, "last-event-id": lastEventId },
        how,
      );
      await until("what was missed", () => stream.events.length >= count);
      await listening(system, 1);
      assert.deepEqual(stream.ids.slice(-1), cursors.slice(-1));
      return stream.events.map(({ data }) => data.data.notificationReceived.message);
    };
    assert.deepEqual(await messages(cursors[0]!, {}, "POST", 2), ["two", "three"]);
    assert.deepEqual(await messages(cursors[1]!, { topicId, after: null }, "GET", 1), ["three"]);
    // One that was cut off before its first event.
    assert.deepEqual(await messages(begun, {}, "GET", 3), ["one", "two", "three"]);
    // What the operation says itself goes before the header.
    assert.deepEqual(await messages(cursors[0]!, { after: cursors[1] }, "POST", 1), ["three"]);
    const [refused] = await events(SUBSCRIPTION, {}, { ...bearer, "last-event-id": "x" });
    assert.equal(refused!.data.errors[0].extensions.code, "BAD_USER_INPUT");
  });

  await t.step("acknowledgements have ids as well; a count has none, and takes no Last-Event-ID", async () => {
    const creator = { authorization: `Bearer ${ann.token}` };
    const query = "subscription ($id: ID!) { notificationAcknowledged(topicId: $id) { by { id } } }";
    const { id, cursor } = await ann.send(topicId, "seen");
    const acknowledged = await EventStream.open(url, query, { id: topicId }, creator);
    await listening(system, 1);
    const before = acknowledged.lastEventId!;
    await acknowledged[Symbol.asyncDispose]();
    await bob.get("mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }", { ids: [id] });
    await using resumed = await EventStream.open(url, query, { id: topicId }, { ...creator, "last-event-id": before });
    await until("the acknowledgement", () => resumed.events.length === 1);
    assert.deepEqual(resumed.events[0]!.data.data.notificationAcknowledged, { by: { id: bob.id } });
    assert.ok(resumed.ids[0] !== undefined && resumed.ids[0] !== cursor);
    await using count = await EventStream.open(url, "subscription { unseenCountChanged }", {}, {
      ...bearer,
      "last-event-id": "x",
    });
    await until("the count", () => count.events.length === 1);
    assert.deepEqual([count.ids, typeof count.events[0]!.data.data.unseenCountChanged], [[undefined], "number"]);
  });

  await t.step("HEAD opens no stream", async () => {
    await listening(system, 0);
    const params = new URLSearchParams({ query: "subscription { notificationReceived { id } }" });
    const headers = { ...bearer, accept: "text/event-stream" };
    const response = await fetch(`${url}?${params}`, { method: "HEAD", headers });
    assert.equal(response.status, 405);
    await using stream = await EventStream.open(url, SUBSCRIPTION, {}, bearer);
    assert.equal(stream.response.status, 200);
    await listening(system, 1);
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

Deno.test("event streams - have the same limits as sockets, together with them, and give their places back", async () => {
  await using system = await startSystem({
    env: { NOTIFYX_SOCKETS_PER_USER: "2", NOTIFYX_SOCKETS_PER_ADDRESS: "4" },
  });
  const url = system.graphqlUrl;
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const open = (user: User) =>
    EventStream.open(url, "subscription { notificationReceived { id } }", {}, {
      authorization: `Bearer ${user.token}`,
    });
  /** That one more is refused, with its code, and after how many seconds to come back. */
  const refused = async (user: User, code: string) => {
    const response = await fetch(`${url}?query=subscription{notificationReceived{id}}`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${user.token}` },
    });
    assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "5"]);
    assert.equal((await response.json()).errors[0].extensions.code, code);
  };
  const streams = [await open(ann)];
  using socket = await ann.connect();
  await refused(ann, "RATE_LIMITED");
  streams.push(await open(bob), await open(bob));
  await refused(bob, "RATE_LIMITED");
  await refused(eve, "RATE_LIMITED");
  const late = await Socket.raw(url).then(() => "open", () => "refused");
  assert.equal(late, "refused");

  await streams.shift()![Symbol.asyncDispose]();
  socket[Symbol.dispose]();
  await until("the places are free", async () => {
    const [stream, other] = [await open(ann), await open(ann)];
    await Promise.all([stream, other].map((one) => one[Symbol.asyncDispose]()));
    return stream.response.ok && other.response.ok;
  });
  for (const stream of streams) {
    assert.equal(stream.response.status, 200);
    await stream[Symbol.asyncDispose]();
  }
  const text = await (await fetch(`${system.url()}/metrics`)).text();
  assert.match(text, /notifyx_delivery_limited_total\{kind="sockets_per_user"\} [1-9]/);
  assert.match(text, /notifyx_delivery_limited_total\{kind="sockets_per_address"\} [1-9]/);
});

Deno.test("event streams - one who doesn't read is cut off within its bound, and the others get everything", async () => {
  await using system = await startSystem({ env: { NOTIFYX_SOCKET_BUFFER_BYTES: "65536" } });
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  for (const user of [bob, eve]) await user.join(topicId);
  const { hostname, port, host } = new URL(system.url());
  using idle = await Deno.connect({ hostname, port: Number(port) });
  const query = `subscription { notificationReceived { ${[..."abcdefghij"].map((name) => `${name}: message`)} } }`;
  await idle.write(
    new TextEncoder().encode(
      `GET /graphql?${new URLSearchParams({ query })} HTTP/1.1\r\nhost: ${host}\r\naccept: text/event-stream\r\n` +
        `authorization: Bearer ${bob.token}\r\n\r\n`,
    ),
  );
  await using reading = await EventStream.open(system.graphqlUrl, query, {}, { authorization: `Bearer ${eve.token}` });
  await listening(system, 2);
  // The kernel takes some megabytes for the one who doesn't read.
  const message = "x".repeat(5_000);
  let sent = 0;
  await until("it is cut off", async () => {
    for (let nth = 0; nth < 10; nth++, sent++) await ann.send(topicId, message);
    return await metric(system.url(), "notifyx_delivery_listeners") === 1;
  }, 60_000);
  await until("the other one has all", () => reading.events.length === sent);
  assert.equal(await metric(system.url(), 'notifyx_delivery_limited_total{kind="slow"}'), 1);
  assert.equal(await metric(system.url(), "notifyx_delivery_event_streams"), 1);
});
