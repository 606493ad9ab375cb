/** What a topic keeps no longer, from the outside: resumes say so, sockets go on, and the audit knows. */

import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { Retention } from "../services/notifications/retention.ts";
import { User } from "./helpers/client.ts";
import { listening, SECRET, startSystem } from "./helpers/system.ts";

const SUBSCRIPTION = "subscription ($after: String) { notificationReceived(after: $after) { message cursor } }";

Deno.test("retention - a cursor behind which something is gone is CURSOR_EXPIRED, and its oldestCursor is whole again", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using live = await bob.connect();
  const bobs = live.subscribe(SUBSCRIPTION);
  await listening(system, 1);
  const [first, second] = [await ann.send(topicId, "first"), await ann.send(topicId, "second")];
  await ann.send(topicId, "third");
  await ann.send(topicId, "fourth");

  const sql = system.database("notifications");
  await sql`update notifications set created_at = now() - interval '31 days' where message in ('first', 'second')`;
  assert.ok(await new Retention(sql, getLogger("test")).prune());

  assert.deepEqual(await bob.inbox(), ["fourth", "third"]);
  assert.equal((await bob.get("{ unseenCount }")).unseenCount, 2);
  using socket = await bob.connect();
  const refused = socket.subscribe(SUBSCRIPTION, { after: first.cursor });
  const { payload } = await socket.next((frame) => frame.type === "error" && frame.id === refused);
  assert.equal(payload[0].extensions.code, "CURSOR_EXPIRED");
  assert.equal(payload[0].extensions.oldestCursor, second.cursor);
  const resumed = socket.subscribe(SUBSCRIPTION, { after: payload[0].extensions.oldestCursor });
  assert.deepEqual((await socket.receive(resumed, 2)).map((one) => one.message), ["third", "fourth"]);
  await ann.send(topicId, "fifth");
  assert.equal((await socket.receive(resumed, 3)).at(-1).message, "fifth");
  assert.equal((await live.receive(bobs, 5)).at(-1).message, "fifth");

  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "audit", "--seconds", "2"],
    cwd: new URL("..", import.meta.url),
    env: { NOTIFYX_DATABASE_URL: system.postgres.url, NOTIFYX_CLUSTER_SECRET: SECRET },
  }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "nothing differs");
  assert.equal(code, 0);
});
