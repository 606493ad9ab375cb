/** README's code for one's own app, as it stands there: it misses nothing and gets nothing twice, whatever happens to its connections. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { delay, SECOND } from "../kit/time.ts";
import { encodeFeedCursor } from "../services/notifications/cursors.ts";
import { User } from "./helpers/client.ts";
import { FlakyNetwork } from "./helpers/flaky_network.ts";
import { listening, startSystem, until } from "./helpers/system.ts";

interface Notification {
  readonly id: string;
  readonly message: string;
  readonly cursor: string;
}
type Receive = (
  url: string,
  token: string,
  cursor: string | undefined,
  onNotification: (one: Notification) => void,
  onEnd: (errors: { extensions: { code: string } }[]) => void,
) => () => void;

/** The code block below a heading of README, as a module. */
async function codeOf(heading: string): Promise<{ receive: Receive }> {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const section = readme.split(/^## /m).find((one) => one.startsWith(heading));
  const code = /```js\n([^]*?)```/.exec(section ?? "")?.[1];
  assert.ok(code, `README has no code below ${heading}`);
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "receive.js");
    await Deno.writeTextFile(path, code);
    return await import(`file://${path}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readme - its code goes on behind its last cursor after each cut: nothing lost, nothing twice, in order", async () => {
  const { receive } = await codeOf("Receive with graphql-ws alone");
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using network = FlakyNetwork.to(system.url());
  const received: Notification[] = [];
  const ends: unknown[] = [];
  await ann.send(topicId, "in the inbox");
  const { feedCursor: begin } = await bob.get("{ feedCursor }");
  // What is sent before it was ever connected comes as well.
  const sent = [(await ann.send(topicId, "number 0")).id];
  const stop = receive(network.url, bob.token, begin, (one) => received.push(one), (errors) => ends.push(errors));

  let sending = true;
  const publishing = (async () => {
    while (sending) sent.push((await ann.send(topicId, `number ${sent.length}`)).id);
  })();
  for (let cut = 1; cut <= 3; cut++) {
    const before = received.length;
    await until("it receives", () => received.length > before + 3, 30_000);
    network.cut();
    const missing = sent.length;
    await until("some are missed", () => sent.length > missing + 5);
    network.mend();
    await until("it is back", () => network.connections > cut, 30_000);
  }
  sending = false;
  await publishing;
  await until("all are there", () => received.length >= sent.length, 30_000);
  assert.deepEqual(received.map(({ id }) => id), sent);
  stop();
  await listening(system, 0);

  // The app is started again, with the cursor that it has kept.
  const again: string[] = [];
  const { cursor } = received.at(-4)!;
  const stopAgain = receive(network.url, bob.token, cursor, (one) => again.push(one.id), (errors) => ends.push(errors));
  await until("the last three", () => again.length === 3);
  assert.deepEqual(again, sent.slice(-3));
  stopAgain();
  assert.deepEqual(ends.filter((errors) => errors !== undefined), []);
});

Deno.test("readme - its code begins with all that there is when its cursor has expired, and ends with the session", async () => {
  const { receive } = await codeOf("Receive with graphql-ws alone");
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  for (const message of ["first", "second"]) await ann.send(topicId, message);
  const url = system.graphqlUrl.replace("http", "ws");
  const messages: string[] = [];
  const ended = Promise.withResolvers<string>();
  receive(
    url,
    bob.token,
    encodeFeedCursor("another epoch", 1),
    (one) => messages.push(one.message),
    (errors) => ended.resolve(errors[0]!.extensions.code),
  );
  await until("all of them", () => messages.length === 2);
  await ann.send(topicId, "live");
  await until("the third", () => messages.length === 3);
  assert.deepEqual(messages, ["first", "second", "live"]);

  await bob.get("mutation { logout }");
  assert.equal(await ended.promise, "UNAUTHENTICATED");
  // A session that has ended meanwhile isn't tried again and again.
  const refused = Promise.withResolvers<unknown>();
  receive(url, bob.token, undefined, () => {}, refused.resolve);
  assert.equal((await refused.promise as CloseEvent).code, 4403);
});

Deno.test("readme - its code tries again where it comes to a gateway behind which notifications are away", async () => {
  const { receive } = await codeOf("Receive with graphql-ws alone");
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const { cursor } = await ann.send(topicId, "the first");
  await ann.send(topicId, "missed");
  const messages: string[] = [];
  const ends: unknown[] = [];
  system.signal("SIGSTOP", "notifications");
  const url = system.graphqlUrl.replace("http", "ws");
  const stop = receive(url, bob.token, cursor!, (one) => messages.push(one.message), (errors) => ends.push(errors));
  // Longer than a subscription waits for its first answer.
  await delay(11 * SECOND);
  system.signal("SIGCONT", "notifications");
  await until("what was missed is there", () => messages.length > 0 || ends.length > 0, 20_000);
  assert.deepEqual([messages, ends], [["missed"], []]);
  stop();
});
