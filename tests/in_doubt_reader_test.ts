/** The in-doubt window is safe for readers: nobody ever sees a notification that is later rolled back, by any way of looking. */

import assert from "node:assert/strict";
import { delay } from "../kit/time.ts";
import { listening, startSystem, until } from "./helpers/system.ts";
import { User } from "./helpers/client.ts";

Deno.test("readers - inbox, count, single look and subscription never show what is rolled back, while counter freezes again and again", async () => {
  // Its readers ask as fast as they can.
  await using system = await startSystem({ env: { NOTIFYX_LIMITS: "off" } });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using socket = await bob.connect();
  const live = socket.subscribe("subscription { notificationReceived { message } }");
  await listening(system, 1);

  const seen = new Set<string>();
  let mostUnseen = 0;
  const reading = new AbortController();
  const readers = Array.from({ length: 3 }, async () => {
    while (!reading.signal.aborted) {
      for (const message of await bob.inbox()) seen.add(message);
      mostUnseen = Math.max(mostUnseen, (await bob.get("{ unseenCount }")).unseenCount);
    }
  });
  // Told below.
  for (const reader of readers) reader.catch(() => {});

  const sent: string[] = [];
  const aborted: string[] = [];
  const query =
    "mutation ($topicId: ID!, $message: String!) { sendNotification(topicId: $topicId, message: $message) { id } }";
  try {
    for (let round = 0; round < 3; round++) {
      system.signal("SIGSTOP", "counter");
      const inDoubt = Promise.all(Array.from({ length: 10 }, async (_, index) => {
        const message = `round ${round} ${index}`;
        const { errors } = await ann.ask(query, { topicId, message });
        if (errors === undefined) return void sent.push(message);
        assert.equal(errors[0]!.extensions.code, "TRANSACTION_ABORTED");
        aborted.push(message);
      }));
      // They are prepared at notifications now, and stay so until the coordinator gives up.
      await until("sends are in doubt", async () => (await system.prepared()).length >= 10);
      await inDoubt;
      system.signal("SIGCONT", "counter");
      await until("nothing is in doubt", async () => (await system.prepared()).length === 0, 15_000);
      // Until its breaker lets a call through to counter again, a send is refused.
      const after = { topicId, message: `after ${round}` };
      await until("counter is asked again", async () => (await ann.ask(query, after)).errors === undefined, 2_000);
      sent.push(`after ${round}`);
    }
    await socket.receive(live, sent.length);
    await delay(100);
  } finally {
    reading.abort();
    // What failed first is what is told.
    await Promise.allSettled(readers);
  }
  await Promise.all(readers);

  assert.equal(aborted.length, 30);
  assert.deepEqual([...seen].sort(), [...sent].sort());
  assert.equal(mostUnseen, sent.length);
  assert.deepEqual(socket.received(live).map((one) => one.message).sort(), [...sent].sort());
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, sent.length);
});
