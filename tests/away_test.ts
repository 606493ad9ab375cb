/** A service that is away takes only its own fields with it, and says so once. */

import assert from "node:assert/strict";
import { listening, startSystem, until } from "./helpers/system.ts";
import { User } from "./helpers/client.ts";

const AWAY = { code: "SERVICE_UNAVAILABLE" };

Deno.test("away - auth: what arrives is from the id alone, and whose session is known goes on", async () => {
  await using system = await startSystem();
  const [ann, bob, carol] = await Promise.all([1, 2, 3].map(() => User.register(system))) as [User, User, User];
  const topicId = await ann.createTopic("news");
  const others = await carol.createTopic("other news");
  await Promise.all([bob.join(topicId), bob.join(others)]);
  using socket = await bob.connect();
  const id = socket.subscribe("subscription { notificationReceived { message topic { name } from { id email } } }");
  await listening(system, 1);
  await ann.send(topicId, "with an e-mail address");
  assert.deepEqual(await socket.receive(id, 1), [
    { message: "with an e-mail address", topic: { name: "news" }, from: { id: ann.id, email: ann.email } },
  ]);

  await system.node("auth").process.stop(5_000);

  await ann.send(topicId, "with what is known of her");
  await carol.send(others, "without one");
  const [, known, without] = await socket.receive(id, 3);
  assert.deepEqual(known.from, { id: ann.id, email: ann.email });
  assert.deepEqual(without, {
    message: "without one",
    topic: { name: "other news" },
    from: { id: carol.id, email: null },
  });
  const { errors } = socket.frames.at(-1)!.payload;
  assert.deepEqual(errors.map((error: { path: unknown }) => error.path), [["notificationReceived", "from", "email"]]);
  assert.deepEqual(errors[0].extensions, AWAY);
  assert.equal((await bob.inbox())[0], "without one");
  assert.equal((await ann.get("{ _: topics { edges { node { name } } } }"))._.edges[0].node.name, "other news");
  assert.equal(await ann.code("{ me { email } }"), AWAY.code);
  await assert.rejects(User.register(system), /SERVICE_UNAVAILABLE/);
});

Deno.test("away - counter: the e-mail address, null for the count, and one error", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  await system.node("counter").process.stop(5_000);

  const { status, data, errors } = await ann.ask("{ me { email sentCount } }");
  assert.equal(status, 200);
  assert.deepEqual(data, { me: { email: ann.email, sentCount: null } });
  assert.deepEqual(errors?.map(({ path, extensions }) => [path, extensions]), [[["me", "sentCount"], AWAY]]);
});

Deno.test("away - notifications, killed and not yet missed by discovery: users are there, topics are not", async () => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const { process } = system.node("notifications");
  process.kill();
  await until("it is gone", () => process.pid === undefined);

  assert.deepEqual(await ann.get("{ me { email sentCount } }"), { me: { email: ann.email, sentCount: 0 } });
  for (const query of ["{ topics { edges { node { id } } } }", "{ unseenCount }", "{ me { email } unseenCount }"]) {
    const { errors } = await ann.ask(query);
    assert.deepEqual(errors?.map(({ extensions }) => extensions), [AWAY], query);
  }
});
