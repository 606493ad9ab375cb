/** The library with the whole system: what its loops get while gateways are killed, and what all of its methods do. */

import assert from "node:assert/strict";
import { User } from "../../tests/helpers/client.ts";
import { listening, startSystem, until } from "../../tests/helpers/system.ts";
import { encodeFeedCursor } from "../../services/notifications/cursors.ts";
import { createNotifyx, type NotifyxError, type NotifyxEvents, type Receipt } from "./mod.ts";
import { collect, watched } from "./testing/connect.ts";

Deno.test("client - gateway killed and back, again and again: nothing missed, nothing twice, sends of that time sent once", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using sender = watched({ url: system.graphqlUrl, token: ann.token });
  using receiver = watched({ url: system.graphqlUrl, token: bob.token });
  const received = collect(receiver.notifyx.notifications());
  await listening(system, 1);

  const sending: Promise<unknown>[] = [];
  const expected: string[] = [];
  const send = () => {
    const message = `number ${expected.length}`;
    expected.push(message);
    sending.push(sender.notifyx.send(topicId, message));
  };
  for (let kill = 0; kill < 3; kill++) {
    const before = received.messages.length;
    for (let nth = 0; nth < 10; nth++) send();
    await until("some arrive", () => received.messages.length > before + 3);
    system.signal("SIGKILL", "gateway");
    await until("it is gone", () => system.node("gateway").process.state !== "ready");
    for (let nth = 0; nth < 10; nth++) send();
    await system.allReady();
  }
  await Promise.all(sending);
  await until("all are there", () => received.messages.length >= expected.length, 20_000);
  assert.deepEqual(received.messages, expected);
  assert.equal((await bob.inbox()).length, expected.length);
  assert.deepEqual(receiver.states.slice(0, 4), ["idle", "connecting", "open", "lost"]);
  await until("it says so", () => receiver.heard.caughtUp.length >= 3);
  assert.deepEqual([received.end, sender.notifyx.sending.value], [undefined, 0]);
});

Deno.test("client - what arrives, is seen and is told to the sender; topics, inbox and anything else that the API has", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  using anns = watched({ url: system.graphqlUrl, token: () => Promise.resolve(ann.token) });
  using bobs = watched({ url: system.graphqlUrl.replace("http", "ws"), token: bob.token });
  const { createTopic } = await anns.notifyx.query<{ createTopic: { id: string } }>(
    'mutation { createTopic(name: "lunch") { id } }',
  );
  const topicId = createTopic.id;
  await bob.join(topicId);
  const counts: (number | undefined)[] = [];
  bobs.notifyx.unseen.subscribe((count) => counts.push(count));
  const receipts: Receipt[] = [];
  void (async () => {
    for await (const receipt of anns.notifyx.receipts(topicId)) receipts.push(receipt);
  })();
  const loop = bobs.notifyx.notifications({ topicId });
  const first = loop.next();
  await until("all listen", () => anns.states.includes("open") && bobs.states.includes("open"));
  await listening(system, 2);
  await until("nothing is unseen", () => counts.includes(0));

  const sent = await anns.notifyx.send(topicId, "Soup is ready.", { to: [bob.id] });
  const { value: arrived } = await first;
  assert.deepEqual({ ...arrived, status: "SENT" }, { ...sent, status: "SENT" });
  assert.deepEqual([arrived!.topic, arrived!.from.email], [{ id: topicId, name: "lunch" }, ann.email]);
  await until("one is unseen", () => counts.at(-1) === 1);
  await bobs.notifyx.acknowledge(arrived!.id);
  await until("none is unseen", () => counts.at(-1) === 0);
  await until("ann is told", () => receipts.length === 1);
  assert.deepEqual([receipts[0]!.by.id, receipts[0]!.notification], [bob.id, { id: arrived!.id }]);

  await anns.notifyx.send(topicId, "Dessert");
  assert.equal(await bobs.notifyx.acknowledgeAll({ topicId }), 1);
  assert.deepEqual(bobs.heard.seen, [{ ids: [arrived!.id] }, { topicId }]);
  const { items, hasNextPage } = await bobs.notifyx.inbox({ first: 1 });
  assert.deepEqual([items.map(({ message, status }) => [message, status]), hasNextPage], [[["Dessert", "SEEN"]], true]);
  const { items: topics } = await bobs.notifyx.topics({ subscribed: true });
  assert.deepEqual(topics.map(({ id, name, subscribed }) => [id, name, subscribed]), [[topicId, "lunch", true]]);
  await assert.rejects(bobs.notifyx.send(topicId, "me too"), { code: "FORBIDDEN" });
  await assert.rejects(bobs.notifyx.query("{ nothing }"), { code: "BAD_USER_INPUT" });

  await loop.return!();
  bobs.notifyx.close();
  await assert.rejects(bobs.notifyx.send(topicId, "after it"), { code: "CLOSED" });
  await until("its subscriptions are gone", () => bobs.states.at(-1) === "closed");
  await listening(system, 1);
});

Deno.test("client - a cursor of another epoch is told with the inbox; nobody's notification is a place to begin; the session's end", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const url = system.graphqlUrl;

  // Nothing has come yet: the place is kept nevertheless, and is where the next start goes on.
  const kept = new Map<string, string>();
  const cursor = { load: () => kept.get("place"), save: (place: string) => void kept.set("place", place) };
  {
    using first = watched({ url, token: bob.token, cursor });
    collect(first.notifyx.notifications());
    await until("the place is kept", () => kept.size > 0);
    await listening(system, 1);
  }
  await listening(system, 0);
  await ann.send(topicId, "while it is closed");
  using second = watched({ url, token: bob.token, cursor });
  const received = collect(second.notifyx.notifications());
  await until("it is there", () => received.messages.length > 0);
  await until("it is told", () => second.heard.caughtUp.length > 0);
  assert.deepEqual([received.messages, second.heard.caughtUp], [["while it is closed"], [{
    count: 1,
    topicId: undefined,
  }]]);

  // Of another epoch, and no cursor at all.
  for (const after of [encodeFeedCursor("another epoch", 1), "none"]) {
    using other = watched({ url, token: bob.token });
    const messages = collect(other.notifyx.notifications({ after }));
    await until("it is told", () => other.heard.cursorExpired.length > 0);
    const [{ inbox, ...told }] = other.heard.cursorExpired as [NotifyxEvents["cursorExpired"]];
    assert.deepEqual(inbox.map(({ message }) => message).at(-1), "while it is closed");
    assert.deepEqual([told.after, typeof told.oldestCursor], [after, "string"]);
    await listening(system, 2);
    const message = `after ${after}`;
    await ann.send(topicId, message);
    await until("it goes on", () => messages.messages.includes(message));
    other.notifyx.close();
    await listening(system, 1);
  }

  await bob.get("mutation { logout }");
  await until("the loop has ended", () => received.end !== undefined);
  assert.deepEqual((received.end as NotifyxError).code, "UNAUTHENTICATED");
  assert.deepEqual(second.heard.sessionEnded.map(({ code }) => code), ["UNAUTHENTICATED"]);
  await assert.rejects(createNotifyx({ url }).query("{ feedCursor }"), { code: "UNAUTHENTICATED" });
  using nobody = watched({ url, token: "none" });
  await assert.rejects(nobody.notifyx.notifications().next(), { code: "UNAUTHENTICATED" });
  await assert.rejects(nobody.notifyx.send(topicId, "text"), { code: "UNAUTHENTICATED" });
  assert.equal(nobody.heard.sessionEnded.length, 1);
});
