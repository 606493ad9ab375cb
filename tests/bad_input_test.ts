/** What bad input gets from the graph: each code of the contract, and that nothing was changed. Who asks is sessions_test.ts's, lists are pages_test.ts's. */

import assert from "node:assert/strict";
import { Answers } from "./helpers/answers.ts";
import { type Answer, User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

const NOBODY = "0190a6f0-0000-7000-8000-000000000000";
const SEND =
  "mutation ($topicId: ID!, $message: String!, $to: [ID!]) { sendNotification(topicId: $topicId, message: $message, to: $to) { id } }";
const CREATE = "mutation ($name: String!) { createTopic(name: $name) { id name } }";
const STATUS =
  "mutation ($id: ID!, $status: TopicStatus!) { setTopicStatus(topicId: $id, status: $status) { status } }";
const ACKNOWLEDGE = "mutation ($ids: [ID!]!) { acknowledgeNotifications(ids: $ids) { id status } }";
const INBOX =
  "query ($first: Int, $after: String, $topicId: ID, $from: ID) { notifications(first: $first, after: $after, topicId: $topicId, fromUserId: $from) { edges { cursor node { id message } } pageInfo { hasNextPage endCursor } } }";

Deno.test("bad input - gets its code, and changes nothing", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const [ann, bob, eve] = await Promise.all([User.register(system), User.register(system), User.register(system)]);
  const topicId = await ann.createTopic("news");
  await bob.join(topicId);
  const sent = await ann.send(topicId, "the first");

  await t.step("a topic that doesn't exist, or whose id is no id, is NOT_FOUND", async () => {
    for (const id of [NOBODY, "", "x", "1", "\0", "../topics", ann.id]) {
      assert.equal(await ann.code(SEND, { topicId: id, message: "x" }), "NOT_FOUND", id);
      assert.equal(await ann.code(STATUS, { id, status: "INACTIVE" }), "NOT_FOUND", id);
      for (const field of ["subscribeToTopic", "unsubscribeFromTopic"]) {
        assert.equal(await ann.code(`mutation ($id: ID!) { ${field}(topicId: $id) { id } }`, { id }), "NOT_FOUND", id);
      }
      assert.equal(await ann.code(INBOX, { topicId: id }), "NOT_FOUND", id);
      assert.equal(await ann.code("query ($id: ID) { unseenCount(topicId: $id) }", { id }), "NOT_FOUND", id);
      assert.deepEqual(await ann.get("query ($id: ID) { topic(id: $id) { id } }", { id }), { topic: null });
    }
    assert.deepEqual(await ann.get('{ topic(name: "\\u0000") { id } }'), { topic: null });
    assert.equal(await ann.code("{ topic { id } }"), "BAD_USER_INPUT");
    assert.equal(
      await ann.code('query ($id: ID) { topic(id: $id, name: "news") { id } }', { id: topicId }),
      "BAD_USER_INPUT",
    );
  });

  await t.step("a user that doesn't exist is null, and has sent nothing", async () => {
    for (const id of [NOBODY, "x", "\0", topicId]) {
      assert.deepEqual(await ann.get("query ($id: ID!) { user(id: $id) { id } }", { id }), { user: null });
      assert.deepEqual((await bob.get(INBOX, { from: id })).notifications.edges, []);
    }
  });

  await t.step("only a topic's creator sends to it and changes it", async () => {
    assert.equal(await bob.code(SEND, { topicId, message: "x" }), "FORBIDDEN");
    assert.equal(await bob.code(STATUS, { id: topicId, status: "INACTIVE" }), "FORBIDDEN");
    assert.equal(
      (await ann.get("query ($id: ID) { topic(id: $id) { status } }", { id: topicId })).topic.status,
      "ACTIVE",
    );
    assert.deepEqual(await bob.inbox(), ["the first"]);
  });

  await t.step("an INACTIVE topic takes nothing, and takes it again once it is ACTIVE", async () => {
    assert.equal((await ann.get(STATUS, { id: topicId, status: "INACTIVE" })).setTopicStatus.status, "INACTIVE");
    assert.equal(await ann.code(SEND, { topicId, message: "x" }), "CONFLICT");
    assert.equal(await ann.code(STATUS, { id: topicId, status: "GONE" }), "BAD_USER_INPUT");
    await ann.get(STATUS, { id: topicId, status: "ACTIVE" });
    await ann.send(topicId, "the second");
    assert.deepEqual(await bob.inbox(), ["the second", "the first"]);
  });

  await t.step("a topic's name has 1 to 100 characters, no NUL, and is taken without regard to case", async () => {
    for (const name of ["", " \n\t ", "x".repeat(101), "a\0b", "a\ud800"]) {
      assert.equal(await ann.code(CREATE, { name }), "BAD_USER_INPUT", JSON.stringify(name));
    }
    for (const name of ["news", "NEWS", "  News "]) assert.equal(await bob.code(CREATE, { name }), "CONFLICT", name);
    for (const name of ["🦊".repeat(100), "'; drop table topics; --", "constructor"]) {
      assert.equal((await ann.get(CREATE, { name })).createTopic.name, name);
    }
  });

  await t.step("a message has 1 to 10,000 characters and no NUL", async () => {
    for (
      const message of [
        "",
        "a\0b",
        "\0",
        "\ud800",
        "a\udc00b",
        "x".repeat(10_001),
        "🦊".repeat(10_001),
        "x".repeat(500_000),
      ]
    ) {
      assert.equal(await ann.code(SEND, { topicId, message }), "BAD_USER_INPUT", JSON.stringify(message.slice(0, 9)));
    }
    assert.equal(await ann.code(SEND, { topicId }), "BAD_USER_INPUT");
    assert.equal(await ann.code(SEND, { topicId, message: 7 }), "BAD_USER_INPUT");
    assert.deepEqual(await bob.inbox(), ["the second", "the first"]);
    const longest = ["x".repeat(10_000), "🦊".repeat(10_000), " ", "\x01\x7f\u2028", '{"__proto__": 1}'];
    for (const message of longest) await ann.send(topicId, message);
    assert.deepEqual((await bob.inbox()).slice(0, longest.length), longest.toReversed());
  });

  await t.step("`to` names at most 1,000, all of them subscribers", async () => {
    const before = await bob.inbox();
    const toStrangers = await ann.ask(SEND, { topicId, message: "x", to: [bob.id, eve.id, NOBODY] });
    assert.equal(code(toStrangers), "BAD_USER_INPUT");
    assert.deepEqual(toStrangers.errors![0]!.extensions.notSubscribed.toSorted(), [NOBODY, eve.id].toSorted());
    for (const to of [["x"], [""], ["\0"], [topicId], [ann.id], many(1_001), [null]]) {
      assert.equal(await ann.code(SEND, { topicId, message: "x", to }), "BAD_USER_INPUT");
    }
    assert.deepEqual(await bob.inbox(), before);
    await ann.send(topicId, "to bob", [bob.id, bob.id.toUpperCase()]);
    assert.deepEqual(await bob.inbox(), ["to bob", ...before]);
  });

  await t.step("acknowledging what one hasn't received is NOT_FOUND and acknowledges nothing", async () => {
    for (const unknown of [NOBODY, "x", "", "\0", topicId]) {
      assert.equal(await bob.code(ACKNOWLEDGE, { ids: [sent.id, unknown] }), "NOT_FOUND", unknown);
    }
    assert.equal(await eve.code(ACKNOWLEDGE, { ids: [sent.id] }), "NOT_FOUND");
    assert.equal(await bob.code(ACKNOWLEDGE, { ids: many(1_001) }), "BAD_USER_INPUT");
    const all = (await bob.inbox()).length;
    assert.equal((await bob.get("{ unseenCount }")).unseenCount, all);
    for (let again = 0; again < 2; again++) {
      const { acknowledgeNotifications } = await bob.get(ACKNOWLEDGE, { ids: [sent.id, sent.id.toUpperCase()] });
      assert.deepEqual(acknowledgeNotifications, [{ id: sent.id, status: "SEEN" }]);
    }
    assert.equal((await bob.get("{ unseenCount }")).unseenCount, all - 1);
    assert.deepEqual((await bob.get(ACKNOWLEDGE, { ids: [] })).acknowledgeNotifications, []);
  });

  assert(await answers.check() > 100);
});

function code(answer: Answer): unknown {
  return answer.errors?.[0]?.extensions.code;
}

function many(count: number): string[] {
  return Array.from({ length: count }, () => crypto.randomUUID());
}
