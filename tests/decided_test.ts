/** What is decided happens, whoever dies: between the decision and its commit there is no way back, and before it there is none forward. */

import assert from "node:assert/strict";
import { differences } from "../cluster/tasks/audit_checks.ts";
import { call } from "../kit/call.ts";
import { newId } from "../kit/ids.ts";
import { HOUR, MILLISECOND, SECOND } from "../kit/time.ts";
import { listening, SECRET, startSystem, type System, until } from "./helpers/system.ts";
import { type Answer, User } from "./helpers/client.ts";
import { commitByHand, prepareByHand } from "./helpers/participants.ts";
import { committed, preparedAt, settled } from "./helpers/traces.ts";

const SEND =
  "mutation ($topicId: ID!, $message: String!) { sendNotification(topicId: $topicId, message: $message) { id } }";

/** Sends, and has `use` do something when all votes are there and the decision is about to be written. */
async function atTheDecision(system: System, sender: User, topicId: string, message: string, use: () => unknown) {
  let answering: Promise<Answer | Error>;
  await system.database("gateway").begin(async (sql) => {
    await sql`lock table decisions in share mode`;
    answering = sender.ask(SEND, { topicId, message }).catch((error) => error);
    await until("it is being decided", async () => {
      const waiting = await system.database("gateway")`select from pg_stat_activity
        where wait_event_type = 'Lock' and query ilike '%insert into decisions%' and datname = current_database()`;
      return waiting.length > 0;
    }, SECOND);
    await use();
  });
  return await answering!;
}

async function decisionOf(system: System, id: string): Promise<{ state: string; done: boolean } | undefined> {
  const rows = await system.database("gateway")<{ state: string; done: boolean }[]>`
    select state, done from decisions where transaction_id = ${id}`;
  return rows[0];
}

async function start(system: System) {
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  await ann.send(topicId, "before");
  return { ann, bob, topicId };
}

Deno.test("decided - a participant that dies or freezes between the decision and its commit: the send happens", async (t) => {
  await using system = await startSystem();
  const { ann, bob, topicId } = await start(system);
  using socket = await bob.connect();
  const bobs = socket.subscribe("subscription { notificationReceived { message } }");
  await listening(system, 1);
  let sent = 1;

  for (const service of ["notifications", "counter"] as const) {
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
      await t.step(`${service} gets ${signal}`, async () => {
        const message = `${signal} of ${service}`;
        const answer = await atTheDecision(system, ann, topicId, message, () => system.signal(signal, service));
        const { data, errors } = answer as Answer;
        assert.equal(errors, undefined);
        if (signal === "SIGSTOP") {
          assert.equal((await preparedAt(system, service)).length, 1);
          assert.equal((await decisionOf(system, data.sendNotification.id))?.state, "committed");
          system.signal("SIGCONT", service);
        }
        sent++;
        const received = await socket.receive(bobs, sent - 1, 15_000);
        assert.equal(received.at(-1).message, message);
        await settled(system);
        assert.ok((await committed(system)).includes(data.sendNotification.id));
        assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, sent);
      });
    }
  }
});

Deno.test("decided - a decision that lands after its gateway was killed is carried out by the next one", async () => {
  // Few connections, each of which has written decisions before: the statement is then sent as a whole, and PostgreSQL goes on with it
  // when its client is gone.
  await using system = await startSystem({ env: { NOTIFYX_DATABASE_POOL: "2" } });
  const { ann, bob, topicId } = await start(system);
  for (let nth = 0; nth < 20; nth++) await ann.send(topicId, "before");
  const known = await committed(system);
  const { process } = system.node("gateway");

  const answer = await atTheDecision(system, ann, topicId, "decided by the dead", () => {
    system.signal("SIGKILL", "gateway");
  });
  assert.ok(answer instanceof Error);

  await until("the gateway is back", () => process.starts === 2 && process.state === "ready", 15_000);
  await settled(system);
  assert.equal((await bob.inbox())[0], "decided by the dead");
  const [id] = (await committed(system)).filter((one) => !known.includes(one));
  await until("it is marked as done", async () => (await decisionOf(system, id!))?.done === true);
});

Deno.test("decided - what nobody drives: a decision is carried out, none is an abort, and what is foreign is left alone", async () => {
  await using system = await startSystem();
  const { ann, bob, topicId } = await start(system);
  const log = system.database("gateway");
  const decide = (id: string, done: boolean) =>
    log`insert into decisions (transaction_id, state, participants, done, owner)
      values (${id}, 'committed', '{notifications,counter}', ${done}, 'a gateway that is gone')`;
  const foreign = ["somebody-else:1", "notifyx:notificationsx:1", `notifyx:counter:${newId()}`];
  const notifications = system.database("notifications");
  for (const gid of foreign) {
    await notifications.unsafe(`select 1; start transaction; prepare transaction '${gid}'`).simple();
  }

  // With an hour's deadline only a gateway's recovery comes to it, and once it counts as done only the participants' inquiry.
  const recovered = await prepareByHand(system, ann, topicId, "recovered", HOUR);
  const inquired = await prepareByHand(system, ann, topicId, "inquired", 200 * MILLISECOND);
  const undecided = await prepareByHand(system, ann, topicId, "undecided", HOUR);
  await decide(recovered, false);
  await decide(inquired, true);
  const forgotten = await prepareByHand(system, ann, topicId, "forgotten", MILLISECOND);

  const own = async () => (await system.prepared()).filter((gid) => !foreign.includes(gid));
  await until("only the undecided one is left", async () => (await own()).length === 2, 15_000);
  assert.ok((await own()).every((gid) => gid.endsWith(undecided)));
  assert.deepEqual(new Set(await bob.inbox()), new Set(["before", "recovered", "inquired"]));
  assert.equal((await decisionOf(system, forgotten))?.state, "aborted");
  await until("the recovered one is done", async () => (await decisionOf(system, recovered))?.done === true);
  assert.deepEqual((await system.prepared()).filter((gid) => foreign.includes(gid)).sort(), foreign.toSorted());

  // What is over stays as it is.
  const { status } = await call(`${system.url("notifications")}/api/commit_2pc`, {
    body: { transactionId: forgotten },
    secret: SECRET,
    limitMs: 5 * SECOND,
  });
  assert.equal(status, 409);
  await commitByHand(system, recovered);
  assert.equal((await bob.inbox()).length, 3);
});

Deno.test("decided - looking changes nothing; asking aborts what is undecided, but for what its gateway is deciding", async () => {
  await using system = await startSystem();
  const { ann, bob, topicId } = await start(system);
  const transaction = async (id: string, ask?: "inquire") => {
    const url = `${system.url()}/api/transactions/${id}${ask ? "/inquire" : ""}`;
    const { body } = await call(url, { method: ask ? "POST" : "GET", secret: SECRET, limitMs: 5 * SECOND });
    return (body as { state: string }).state;
  };
  const id = await prepareByHand(system, ann, topicId, "undecided", HOUR);
  for (let round = 0; round < 2; round++) {
    assert.equal(await transaction(id), "pending");
    for (const kind of ["gateway", "notifications", "counter"] as const) {
      await (await fetch(`${system.url(kind)}/dashboard`)).text();
    }
    await differences({
      gateway: system.database("gateway"),
      notifications: system.database("notifications"),
      counter: system.database("counter"),
    });
  }
  assert.equal(await decisionOf(system, id), undefined);
  assert.equal((await system.prepared()).length, 2);
  assert.equal(await transaction(id, "inquire"), "aborted");
  assert.equal((await decisionOf(system, id))?.state, "aborted");
  assert.equal(await transaction(id), "aborted");
  for (const service of ["notifications", "counter"] as const) {
    const { body } = await call(`${system.url(service)}/api/rollback_2pc`, {
      method: "DELETE",
      body: { transactionId: id },
      secret: SECRET,
      limitMs: 5 * SECOND,
    });
    assert.deepEqual(body, { state: "aborted" });
  }

  let asked = "";
  const answer = await atTheDecision(system, ann, topicId, "being decided", async () => {
    const [gid] = await system.prepared();
    asked = await transaction(gid!.split(":").at(-1)!, "inquire");
  });
  assert.equal((answer as Answer).errors, undefined);
  assert.equal(asked, "pending");
  assert.deepEqual(await bob.inbox(), ["being decided", "before"]);
});
