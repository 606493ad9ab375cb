/** Going on behind a cursor while others publish at full rate, and numbering that no frozen node holds up. */

import assert from "node:assert/strict";
import { delay, SECOND } from "../kit/time.ts";
import { RawSocket } from "./helpers/raw_socket.ts";
import { listening, metric, startSystem, until } from "./helpers/system.ts";
import { type Socket, User } from "./helpers/client.ts";
import { inOrder, settled } from "./helpers/traces.ts";

const SUBSCRIPTION = "subscription ($after: String) { notificationReceived(after: $after) { id cursor } }";
/** More than one page of a replay, which has 500. */
const BEFORE = 600;
const SENDERS = 8;
const RESUMES = 12;
/** Of messages of 40 kB each. */
const BACKLOG = 400;

Deno.test("resume - while others publish at full rate, behind any cursor: no gap, no repeat, in order", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using live = await bob.connect();
  const reference = live.subscribe(SUBSCRIPTION);
  await listening(system, 1);
  const begin = (await ann.send(topicId, "the first")).cursor;

  let stop = false;
  const sending = Array.from({ length: SENDERS }, async () => {
    while (!stop) await ann.send(topicId, "one of many");
  });
  await live.receive(reference, BEFORE, 60_000);
  const resumed: { socket: Socket; id: string; after: string }[] = [];
  for (let nth = 0; nth < RESUMES; nth++) {
    // From the very first, which takes several pages, to the newest, at which the replay meets what is live.
    const known = live.received(reference);
    const after = nth === 0 ? begin : known.at(-1 - (RESUMES - 1 - nth) * 20).cursor;
    const socket = await bob.connect();
    resumed.push({ socket, after, id: socket.subscribe(SUBSCRIPTION, { after }) });
    await live.receive(reference, known.length + 20);
  }
  stop = true;
  await Promise.all(sending);

  const all = await inOrder(system);
  const frames = await live.receive(reference, all.length);
  assert.deepEqual(frames.map((one) => one.id), all);
  for (const { socket, id, after } of resumed) {
    using _ = socket;
    const missed = all.slice(frames.findIndex((one) => one.cursor === after) + 1);
    assert.deepEqual((await socket.receive(id, missed.length)).map((one) => one.id), missed);
  }
});

Deno.test("resume - a node that is frozen while it gives positions holds nothing up", async () => {
  await using system = await startSystem({ counts: { notifications: 2 } });
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  using socket = await bob.connect();
  const bobs = socket.subscribe(SUBSCRIPTION);
  await listening(system, 1);
  const sql = system.database("notifications");

  // The first node is frozen while it waits for the lock under which positions are given, with more to number than a socket takes that
  // nobody reads; the other one comes after it.
  system.signal("SIGSTOP", "notifications", 1);
  await sql.begin(async (writer) => {
    await writer`select pg_advisory_xact_lock(x'4e544658'::int, 1)`;
    await sql`select prepare_notification(gen_random_uuid(), ${topicId}, ${ann.id}, repeat('📣', 10000), '{}')
      from generate_series(1, ${BACKLOG})`;
    await until("it wants to give positions", async () => {
      const [row] = await sql`select count(*) from pg_locks where locktype = 'advisory' and not granted`;
      return row!.count > 0;
    });
    system.signal("SIGSTOP", "notifications", 0);
    system.signal("SIGCONT", "notifications", 1);
  });

  await until("all have their positions", async () => (await inOrder(system)).length === BACKLOG, 3_000);
  const sent = await inOrder(system);
  while (sent.length < BACKLOG + 10) {
    // Those that are sent by way of the frozen node are aborted, until it is known to be away.
    const answer = await ann.ask(
      'mutation ($topicId: ID!) { sendNotification(topicId: $topicId, message: "to the other node") { id } }',
      { topicId },
    );
    if (answer.errors === undefined) sent.push(answer.data.sendNotification.id);
    else assert.equal(answer.errors[0]!.extensions.code, "TRANSACTION_ABORTED");
  }
  const received = (await socket.receive(bobs, sent.length, 20_000)).map((one) => one.id);
  system.signal("SIGCONT", "notifications", 0);
  await settled(system);
  assert.deepEqual(received, await inOrder(system));
  assert.deepEqual(received.sort(), sent.sort());
});

Deno.test("resume - a backlog of 16 MB comes whole to a socket that reads slowly, from the window and from the database", async () => {
  await using system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const { cursor } = await ann.send(topicId, "the first");
  await system.database("notifications")`
    select prepare_notification(gen_random_uuid(), ${topicId}, ${ann.id}, repeat('📣', 10000), '{}')
      from generate_series(1, ${BACKLOG})`;
  await until("all have their positions", async () => (await inOrder(system)).length === BACKLOG + 1);
  const { cursor: last } = await ann.send(topicId, "the last");
  const expected = (await inOrder(system)).slice(1);
  const query = "subscription ($after: String) { notificationReceived(after: $after) { id message cursor } }";
  const resume = async () => {
    using socket = await RawSocket.open(system.graphqlUrl, bob.token);
    const received: { id: string; cursor: string }[] = [];
    socket.onText = (text) => {
      const { type, payload } = JSON.parse(text);
      if (type === "next") received.push(payload.data.notificationReceived);
    };
    // It reads, after a while: what is more than may wait for it isn't given to it meanwhile.
    socket.stopReading();
    await socket.send({ id: "1", type: "subscribe", payload: { query, variables: { after: cursor } } });
    await delay(SECOND / 2);
    socket.goOnReading();
    await until("all came, or it was closed", () => socket.isClosed || received.at(-1)?.cursor === last, 20_000);
    assert.deepEqual(received.map((one) => one.id), expected);
  };
  // The gateway has heard of all of it.
  using live = await bob.connect();
  await live.receive(live.subscribe(SUBSCRIPTION, { after: cursor }), expected.length, 20_000);
  await resume();
  assert.ok(await metric(system.url(), 'notifyx_delivery_resumes_total{from="window"}') > 0);

  system.signal("SIGKILL", "gateway");
  await until("it is gone", () => system.node("gateway").process.state !== "ready");
  await system.allReady();
  await resume();
  assert.equal(await metric(system.url(), 'notifyx_delivery_resumes_total{from="database"}'), 1);
});
