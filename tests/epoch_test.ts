/** `deno task new-epoch`, from the outside: cursors of before are CURSOR_EXPIRED within seconds, without a restart. */

import assert from "node:assert/strict";
import { User } from "./helpers/client.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

const SUBSCRIPTION = "subscription ($after: String) { notificationReceived(after: $after) { message cursor } }";

Deno.test("epoch - with a new one, cursors of before are expired at every node, and the oldest brings all again", async () => {
  await using system = await startSystem({ counts: { notifications: 2 } });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using live = await bob.connect();
  const bobs = live.subscribe(SUBSCRIPTION);
  await listening(system, 1);
  const { cursor } = await ann.send(topicId, "first");
  await ann.send(topicId, "second");
  await live.receive(bobs, 2);

  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "new-epoch"],
    cwd: new URL("..", import.meta.url),
    env: { NOTIFYX_DATABASE_URL: system.postgres.url },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stdout));

  // Who listens is told to begin anew.
  const ended = await live.next((frame) => frame.type === "error" && frame.id === bobs);
  assert.equal(ended.payload[0].extensions.code, "CURSOR_EXPIRED");
  const page = "query ($after: String) { notifications(after: $after) { edges { node { message } } } }";
  await until("both nodes say so", async () => {
    const codes = await Promise.all(Array.from({ length: 4 }, () => bob.code(page, { after: cursor })));
    return codes.every((code) => code === "CURSOR_EXPIRED");
  }, 3_000);
  using socket = await bob.connect();
  const refused = socket.subscribe(SUBSCRIPTION, { after: cursor });
  const { payload: [error] } = await socket.next((frame) => frame.type === "error" && frame.id === refused);
  assert.equal(error.extensions.code, "CURSOR_EXPIRED");
  const all = socket.subscribe(SUBSCRIPTION, { after: error.extensions.oldestCursor });
  await socket.receive(all, 2);
  await ann.send(topicId, "third");
  assert.deepEqual((await socket.receive(all, 3)).map((one) => one.message), ["first", "second", "third"]);
});
