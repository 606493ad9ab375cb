/** Bad pages: `first` and cursors that are none, or of another epoch. */

import assert from "node:assert/strict";
import { encodeCursor } from "../kit/paging.ts";
import { Answers } from "./helpers/answers.ts";
import { User } from "./helpers/client.ts";
import { startSystem } from "./helpers/system.ts";

const INBOX =
  "query ($after: String) { notifications(after: $after) { edges { node { message } } pageInfo { endCursor } } }";

Deno.test("pages - a bad size and a bad cursor get their codes", async (t) => {
  await using system = await startSystem();
  using answers = new Answers();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  for (const message of ["one", "two", "three"]) await ann.send(topicId, message);

  await t.step("`first` is a number from 1 to 1,000", async () => {
    for (const list of ["notifications", "topics", "users"]) {
      const query = `query ($first: Int) { ${list}(first: $first) { edges { cursor } pageInfo { hasNextPage } } }`;
      for (const first of [0, -1, 1_001, 10_000, 2 ** 31, 1.5, "10"]) {
        assert.equal(await bob.code(query, { first }), "BAD_USER_INPUT", `${list} ${first}`);
      }
      for (const first of [1, 1_000, null]) assert.equal((await bob.ask(query, { first })).errors, undefined);
    }
  });

  await t.step("a cursor that nobody gave is BAD_USER_INPUT", async () => {
    const { notifications, topics } = await bob.get(
      "{ notifications { pageInfo { endCursor } } topics { pageInfo { endCursor } } }",
    );
    const [epoch] = JSON.parse(atob(notifications.pageInfo.endCursor));
    const ahead = encodeCursor([epoch, "999999"]);
    for (
      const after of [
        "",
        "x",
        "%00",
        "🦊",
        btoa("[1,2]"),
        encodeCursor([epoch]),
        ahead,
        encodeCursor([epoch, "-1"]),
        encodeCursor([epoch, "\0"]),
        topics.pageInfo.endCursor,
        "A".repeat(100_000),
      ]
    ) {
      assert.equal(await bob.code(INBOX, { after }), "BAD_USER_INPUT", after.slice(0, 50));
    }
    for (const list of ["topics", "users"]) {
      for (const after of ["x", encodeCursor(["x"]), ahead, notifications.pageInfo.endCursor]) {
        assert.equal(
          await bob.code(`query ($after: String) { ${list}(after: $after) { edges { cursor } } }`, { after }),
          "BAD_USER_INPUT",
          list,
        );
      }
    }
    for (const list of ["topics", "users"]) {
      for (const search of ["\0", "\ud800", "x".repeat(255), "🦊".repeat(255)]) {
        const query = `query ($search: String) { ${list}(search: $search) { edges { cursor } } }`;
        assert.equal(await bob.code(query, { search }), "BAD_USER_INPUT", list);
      }
    }
  });

  await t.step("a cursor of another epoch is CURSOR_EXPIRED, and its oldestCursor works", async () => {
    const after = encodeCursor(["000000000000", "1"]);
    const asked = await bob.ask(INBOX, { after });
    assert.equal(asked.errors?.[0]?.extensions.code, "CURSOR_EXPIRED");
    const { oldestCursor } = asked.errors![0]!.extensions;
    assert.equal((await bob.ask(INBOX, { after: oldestCursor })).errors, undefined);

    using socket = await bob.connect();
    const subscription = "subscription ($after: String) { notificationReceived(after: $after) { message } }";
    const refused = socket.subscribe(subscription, { after });
    const { payload } = await socket.next((frame) => frame.id === refused);
    const { extensions } = (payload.errors ?? payload)[0];
    assert.deepEqual(extensions, { code: "CURSOR_EXPIRED", oldestCursor });
    const resumed = socket.subscribe(subscription, { after: oldestCursor });
    const inbox = await bob.inbox();
    const received = await socket.receive(resumed, inbox.length);
    assert.deepEqual(received.map((one) => one.message), inbox.toReversed());
  });

  assert(await answers.check() > 40);
});
