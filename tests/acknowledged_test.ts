/** `notificationAcknowledged` over real processes: live and resumed, for the topic's creator alone. */

import assert from "node:assert/strict";
import { Socket, User } from "./helpers/client.ts";
import { startSystem, until } from "./helpers/system.ts";

const RECEIPTS = `subscription ($topicId: ID!, $after: String) {
  notificationAcknowledged(topicId: $topicId, after: $after) {
    cursor at by { id email } notification { id status message } upTo
  }
}`;
/** Asks for what only the whole graph knows. */
const COUNTED = `subscription ($topicId: ID!, $after: String) {
  notificationAcknowledged(topicId: $topicId, after: $after) {
    cursor by { email } notification { id status seenCount topic { subscribed } }
  }
}`;
const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id } }";
const ACKNOWLEDGE_ALL = "mutation ($topicId: ID, $upTo: String) { acknowledgeAll(topicId: $topicId, upTo: $upTo) }";

// deno-lint-ignore no-explicit-any -- whatever the test asked for
function receipts(socket: Socket, id: string): any[] {
  return socket.frames.filter((frame) => frame.type === "next" && frame.id === id)
    .map(({ payload }) => payload.data?.notificationAcknowledged ?? payload);
}

// deno-lint-ignore no-explicit-any -- whatever the test asked for
async function receive(socket: Socket, id: string, count: number): Promise<any[]> {
  await until(`${count} receipts`, () => receipts(socket, id).length >= count);
  return receipts(socket, id);
}

/** The code that a subscription is refused with; undefined where it isn't. */
async function refused(user: User, topicId: string, after?: string): Promise<string | undefined> {
  using socket = await user.connect();
  const id = socket.subscribe(RECEIPTS, { topicId, after });
  const { payload } = await socket.next((frame) => frame.id === id);
  return payload?.[0]?.extensions.code;
}

Deno.test("acknowledged - the creator is told who has seen what, at once and behind a cursor; nobody else is", async () => {
  await using system = await startSystem();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const [topicId, otherId] = await Promise.all([ann.createTopic(), ann.createTopic()]);
  for (const user of [ann, bob, eve]) await user.join(topicId);
  await bob.join(otherId);
  const [first, second, third] = [
    await ann.send(topicId, "first"),
    await ann.send(topicId, "second", [bob.id]),
    await ann.send(topicId, "third"),
  ];
  const elsewhere = await ann.send(otherId, "elsewhere");
  using socket = await ann.connect();
  // The last of them begins before all that follows.
  const begin = third.cursor;
  const [live, counted] = [
    socket.subscribe(RECEIPTS, { topicId }),
    socket.subscribe(COUNTED, { topicId, after: begin }),
  ];
  using others = await ann.connect();
  const ofOther = others.subscribe(RECEIPTS, { topicId: otherId, after: begin });
  await until("they listen", async () => {
    const text = await (await fetch(`${system.url()}/metrics`)).text();
    return /^notifyx_delivery_listeners 3$/m.test(text);
  });

  await bob.get(ACKNOWLEDGE, { ids: [first.id, second.id] });
  // What is seen already is no news.
  await bob.get(ACKNOWLEDGE, { ids: [first.id] });
  await ann.get(ACKNOWLEDGE, { ids: [first.id] });
  // Counts are those of the moment in which a receipt is told.
  await receive(socket, counted, 3);
  await eve.get(ACKNOWLEDGE_ALL, { topicId, upTo: first.cursor });
  await bob.get(ACKNOWLEDGE, { ids: [elsewhere.id] });
  await eve.get(ACKNOWLEDGE_ALL);
  await eve.get(ACKNOWLEDGE_ALL);

  const all = await receive(socket, live, 5);
  const shown = all.map(({ by, notification, upTo }) => ({ by: by.email, about: notification?.message ?? null, upTo }));
  assert.deepEqual(new Set(shown.slice(0, 2).map(({ about }) => about)), new Set(["first", "second"]));
  assert.deepEqual(shown.slice(2), [
    { by: ann.email, about: "first", upTo: null },
    { by: eve.email, about: null, upTo: first.cursor },
    { by: eve.email, about: null, upTo: shown.at(-1)!.upTo },
  ]);
  assert.ok(
    all.every(({ by, at }) =>
      [ann.id, bob.id, eve.id].includes(by.id) && Math.abs(Date.now() - Date.parse(at)) < 60_000
    ),
  );
  // The status is the viewer's own: the creator has seen the first when she is told of her own receipt, the second she didn't receive.
  assert.equal(all[2].notification.status, "SEEN");
  assert.equal(all.find(({ notification }) => notification?.id === second.id).notification.status, "SENT");
  const graph = await receive(socket, counted, 5);
  assert.deepEqual(graph.map(({ cursor }) => cursor), all.map(({ cursor }) => cursor));
  assert.deepEqual(graph[2].notification, { id: first.id, status: "SEEN", seenCount: 2, topic: { subscribed: true } });
  const [ofElsewhere] = await receive(others, ofOther, 1);
  assert.deepEqual([ofElsewhere.by.email, ofElsewhere.notification.id], [bob.email, elsewhere.id]);

  // Behind each of them, the rest: from the window, and, in a gateway that has just begun, from the database.
  for (const from of ["window", "database"]) {
    if (from === "database") {
      system.signal("SIGKILL", "gateway");
      await until("it is gone", () => system.node("gateway").process.state !== "ready");
      await system.allReady();
    }
    for (const [nth, { cursor }] of [{ cursor: begin }, ...all].entries()) {
      using again = await ann.connect();
      const id = again.subscribe(RECEIPTS, { topicId, after: cursor });
      const rest = await receive(again, id, all.length - nth);
      const parts = (one: typeof all[number]) => [one.cursor, one.at, one.by, one.notification?.id, one.upTo];
      assert.deepEqual(rest.map(parts), all.slice(nth).map(parts), from);
    }
  }

  for (const user of [bob, eve]) assert.equal(await refused(user, topicId), "FORBIDDEN");
  await ann.get("mutation ($id: ID!) { updateTopic(topicId: $id, visibility: INVITE) { id } }", { id: otherId });
  assert.deepEqual([await refused(bob, otherId), await refused(eve, otherId)], ["FORBIDDEN", "NOT_FOUND"]);
  for (const id of [crypto.randomUUID(), "none"]) assert.equal(await refused(ann, id), "NOT_FOUND");
  assert.equal(await refused(ann, topicId, "none"), "BAD_USER_INPUT");
  await ann.get("mutation ($id: ID!) { deleteTopic(topicId: $id) }", { id: topicId });
  // One that begins before the gateway has heard of it is completed by the news.
  await until("it is refused", async () => await refused(ann, topicId) === "NOT_FOUND");
});

Deno.test("acknowledged - while many acknowledge, who is cut off again and again has each receipt once, in order", async () => {
  await using system = await startSystem({ counts: { gateway: 2 } });
  const [ann, ...readers] = await Promise.all(Array.from({ length: 5 }, () => User.register(system)));
  const topicId = await ann!.createTopic();
  for (const reader of readers) await reader.join(topicId);
  const sent: { id: string; cursor: string | null }[] = [];
  for (let nth = 0; nth < 60; nth++) sent.push(await ann!.send(topicId, `${nth}`));

  let isOver = false;
  let cursor = sent.at(-1)!.cursor!;
  const received: string[] = [];
  const take = (socket: Socket, id: string) => {
    received.push(...receipts(socket, id).map((one) => one.cursor));
    cursor = received.at(-1) ?? cursor;
  };
  const reading = (async () => {
    for (let turn = 0; !isOver; turn++) {
      using socket = await Socket.open(`${system.url("gateway", turn % 2)}/graphql`, {
        authorization: `Bearer ${ann!.token}`,
      });
      const id = socket.subscribe(RECEIPTS, { topicId, after: cursor });
      await until("some come", () => isOver || receipts(socket, id).length > turn % 10, 20_000);
      take(socket, id);
    }
  })();
  await Promise.all(readers.map(async (reader, nth) => {
    for (const [at, { id, cursor }] of sent.entries()) {
      if (at % 10 === nth) await reader.get(ACKNOWLEDGE_ALL, { topicId, upTo: cursor });
      else await reader.get(ACKNOWLEDGE, { ids: [id] });
    }
  }));
  isOver = true;
  await reading;
  const rows = await system.database("notifications")`
    select position from feed where topic_id = ${topicId} and kind in ('seen', 'seenAll') order by position`;
  using socket = await ann!.connect();
  const id = socket.subscribe(RECEIPTS, { topicId, after: cursor });
  if (received.length < rows.length) await receive(socket, id, rows.length - received.length);
  take(socket, id);
  using fresh = await ann!.connect();
  const all = await receive(fresh, fresh.subscribe(RECEIPTS, { topicId, after: sent.at(-1)!.cursor }), rows.length);
  assert.equal(all.length, rows.length);
  assert.ok(rows.length >= readers.length * sent.length * 0.9);
  assert.deepEqual(received, all.map((one) => one.cursor));
});
