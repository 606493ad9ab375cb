/** Every process killed in turn: it comes back by itself, the others go on meanwhile, and a live subscription misses nothing. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { ServiceName } from "../kit/ports.ts";
import { delay, SECOND } from "../kit/time.ts";
import { listening, startSystem, type System, until } from "./helpers/system.ts";
import { type Socket, User } from "./helpers/client.ts";
import { insist, isUnknown, type KeyedSend, tell } from "./helpers/keyed_send.ts";
import { commitInDatabases, prepareByHand } from "./helpers/participants.ts";
import { Publisher } from "./helpers/publisher.ts";
import { committed, inOrder, settled } from "./helpers/traces.ts";
import { whole } from "./helpers/whole.ts";

const SUBSCRIPTION = "subscription ($after: String) { notificationReceived(after: $after) { id cursor } }";
/** How soon after its death a process is started again, in milliseconds. */
const BACK_MS = 500;

/** Ann, who may send to a topic, and Bob, who is subscribed to it with an open socket. */
async function start(system: System) {
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const socket = await bob.connect();
  const id = socket.subscribe(SUBSCRIPTION);
  await listening(system, 1);
  return { ann, bob, topicId, socket, id };
}

async function killed(system: System, kind: ServiceName): Promise<void> {
  const { process } = system.node(kind);
  const { starts } = process;
  system.signal("SIGKILL", kind);
  await until(`${kind} is started again`, () => process.starts > starts, BACK_MS);
  await until(`${kind} is ready again`, () => process.state === "ready", 15_000);
}

/** Freezes notifications, and has a send committed and given its position of which no gateway hears then. */
async function numberUnheard(system: System, sender: User, topicId: string): Promise<void> {
  const id = await prepareByHand(system, sender, topicId, "unheard");
  system.signal("SIGSTOP", "notifications");
  await commitInDatabases(system, id);
  await system.database("notifications")`select number_pending()`;
}

/** Everything that was said to be sent is there, whole, and was received in its order: `frames` of one or more subscriptions. */
async function isComplete(system: System, { sent }: Publisher, socket: Socket, id: string, before: string[] = []) {
  await settled(system);
  const all = await inOrder(system);
  const received = (await socket.receive(id, all.length - before.length, 15_000)).map((one) => one.id);
  assert.deepEqual([...before, ...received], all);
  assert.deepEqual(await committed(system), all.toSorted());
  assert.deepEqual(sent.filter((one) => !all.includes(one)), []);
}

Deno.test("outages - each service killed in turn comes back by itself, and a live subscription misses nothing", async (t) => {
  await using system = await startSystem();
  const { ann, bob, topicId, socket, id } = await start(system);
  const publisher = new Publisher(ann, topicId);
  try {
    for (const kind of ["discovery", "auth"] as const) {
      await t.step(`${kind}: no send fails`, async () => {
        await publisher.sends(5);
        await killed(system, kind);
        await publisher.sends(5);
        assert.deepEqual(publisher.failed, []);
        await User.register(system);
      });
    }
    for (const kind of ["counter", "notifications"] as const) {
      await t.step(`${kind}: sends are aborted until it is back`, async () => {
        await publisher.sends(5);
        if (kind === "notifications") await numberUnheard(system, ann, topicId);
        await killed(system, kind);
        await publisher.sends(5);
        assert.deepEqual(publisher.failed.filter((code) => code !== "TRANSACTION_ABORTED"), []);
      });
    }
    await t.step("the gateway: its sockets close, and a client goes on behind its last cursor", async () => {
      await publisher.sends(5);
      await killed(system, "gateway");
      await socket.closed;
      const before = socket.received(id);
      using again = await bob.connect();
      const resumed = again.subscribe(SUBSCRIPTION, { after: before.at(-1).cursor });
      await publisher.sends(5);
      await publisher[Symbol.asyncDispose]();
      await isComplete(system, publisher, again, resumed, before.map((one) => one.id));
    });
  } finally {
    await publisher[Symbol.asyncDispose]();
    socket.raw.close();
  }
});

Deno.test("outages - PostgreSQL killed comes back, sends work again, and a live subscription misses nothing", async () => {
  await using system = await startSystem({ durable: true });
  const { ann, topicId, socket, id } = await start(system);
  using _ = socket;
  const publisher = new Publisher(ann, topicId, 8);
  try {
    await publisher.sends(20);
    const { process } = system.postgres;
    const { starts } = process;
    const [pid] = Deno.readTextFileSync(join(system.postgres.data, "postmaster.pid")).split("\n");
    Deno.kill(Number(pid), "SIGKILL");
    await until("PostgreSQL is back", () => process.starts > starts && process.state === "ready", 20_000);
    await publisher.sends(20, 20_000);
    const codes = ["TRANSACTION_ABORTED", "TIMEOUT", "SERVICE_UNAVAILABLE"];
    assert.deepEqual(publisher.failed.filter((code) => !codes.includes(code)), []);
  } finally {
    await publisher[Symbol.asyncDispose]();
  }
  await isComplete(system, publisher, socket, id);
  for (const { process } of system.cluster.nodes) assert.equal(process.starts, 1, `${process.options.name} died too`);
});

Deno.test("outages - PostgreSQL frozen: everybody is told something in time, and afterwards each send is there once or not at all", async () => {
  // Longer than a participant waits before it inquires, and than anybody is to wait for an answer.
  const [FROZEN_MS, ANSWER_LIMIT_MS] = [15 * SECOND, 12 * SECOND];
  await using system = await startSystem({ counts: { gateway: 2 } });
  const { ann, topicId, socket, id } = await start(system);
  using _ = socket;
  const urls = [system.url("gateway", 0), system.url("gateway", 1)];
  const sent = new Map<string, string>();
  const unsent: KeyedSend[] = [];
  const codes = new Set<string>();
  let [longestMs, isOver] = [0, false];
  const sender = async (name: number) => {
    for (let nth = 0; !isOver; nth++) {
      const send = { token: ann.token, topicId, message: `${name}.${nth}`, key: `${name}.${nth}` };
      const began = Date.now();
      const told = await tell(urls[name % 2]!, send, 2 * FROZEN_MS);
      longestMs = Math.max(longestMs, Date.now() - began);
      if ("id" in told) {
        sent.set(send.message, told.id);
        continue;
      }
      codes.add(told.code);
      assert.notEqual(told.code, "none", told.why);
      assert.ok(isUnknown(told) || told.code === "TRANSACTION_ABORTED", told.code);
      unsent.push(send);
    }
  };
  const sending = Array.from({ length: 8 }, (_, name) => sender(name));
  try {
    await until("sends are under way", () => sent.size > 50);
    {
      using _frozen = await system.freezePostgres();
      // Those on two gateways that begin only now.
      sending.push(sender(8), sender(9));
      await delay(FROZEN_MS);
    }
    const before = sent.size;
    await until("sends go on", () => sent.size > before + 50);
  } finally {
    isOver = true;
    await Promise.all(sending);
  }
  assert.ok(longestMs < ANSWER_LIMIT_MS, `an answer took ${longestMs} ms`);
  assert.ok(codes.size > 0);

  // Whoever asks again with the key hears the truth.
  for (const send of unsent) {
    const told = await insist(urls, send, 15_000);
    sent.set(send.message, "id" in told ? told.id : assert.fail(told.code));
  }
  const { messages } = await whole(system);
  assert.deepEqual(messages, new Map([...sent].map(([message, id]) => [message, [id]])));
  const all = await inOrder(system);
  assert.deepEqual((await socket.receive(id, all.length, 15_000)).map((one) => one.id), all);
  for (const { process } of system.cluster.nodes) assert.equal(process.starts, 1, `${process.options.name} died`);
});

Deno.test("outages - while discovery is away all goes on, also with a service that was killed", async () => {
  await using system = await startSystem();
  const { ann, topicId, socket, id } = await start(system);
  using _ = socket;
  await system.node("discovery").process.stop(5_000);
  const publisher = new Publisher(ann, topicId);
  try {
    await publisher.sends(5);
    assert.deepEqual(publisher.failed, []);
    await killed(system, "counter");
    await publisher.sends(5);
    const eve = await User.register(system);
    await eve.join(topicId);
    await publisher.sends(5);
    assert.ok((await eve.inbox()).length > 0);
  } finally {
    await publisher[Symbol.asyncDispose]();
  }
  await isComplete(system, publisher, socket, id);
});
