/**
 * A participant that is frozen, killed or stopped while something is sent: `TRANSACTION_ABORTED` within 3 s, nothing of it anywhere,
 * and nothing left prepared in any database.
 */

import assert from "node:assert/strict";
import { startSystem, type System, until } from "./helpers/system.ts";
import { type Answer, User } from "./helpers/client.ts";
import { committed, holdingPrepares, preparedAt, settled, traces } from "./helpers/traces.ts";

const SEND =
  "mutation ($topicId: ID!, $message: String!, $to: [ID!]) { sendNotification(topicId: $topicId, message: $message, to: $to) { id } }";

interface Senders extends AsyncDisposable {
  readonly system: System;
  readonly ann: User;
  readonly bob: User;
  send(message: string): Promise<Answer>;
}

/** Ann, who may send to a topic, and Bob, who has received one of it: every connection of the pools has done so before. */
async function start(): Promise<Senders> {
  const system = await startSystem();
  const [ann, bob] = await Promise.all([User.register(system), User.register(system)]);
  const topicId = await ann.createTopic();
  await bob.join(topicId);
  const send = (message: string) => ann.ask(SEND, { topicId, message, to: [bob.id] });
  await Promise.all(Array.from({ length: 30 }, (_, index) => send(`before ${index}`)));
  return { system, ann, bob, send, [Symbol.asyncDispose]: () => system[Symbol.asyncDispose]() };
}

async function isAborted(sending: Promise<Answer>): Promise<void> {
  const begun = performance.now();
  const { errors } = await sending;
  assert.equal(errors?.[0]?.extensions.code, "TRANSACTION_ABORTED");
  const took = performance.now() - begun;
  assert.ok(took < 3_000, `the answer took ${took} ms`);
}

for (const service of ["counter", "notifications"] as const) {
  Deno.test(`aborts - ${service} frozen, killed or stopped: answered within 3 s, nothing left anywhere`, async (t) => {
    await using senders = await start();
    const { system, ann, bob, send } = senders;
    const before = await traces(system);
    const whole = async () => {
      await settled(system);
      assert.deepEqual(await traces(system), before);
    };

    await t.step("frozen before it is asked", async () => {
      system.signal("SIGSTOP", service);
      await isAborted(send("to a frozen one"));
      system.signal("SIGCONT", service);
      await whole();
    });

    await t.step("frozen under many sends at once, more than it has connections", async () => {
      await holdingPrepares(system, service, async (held, release) => {
        const answering = Promise.all(Array.from({ length: 60 }, (_, index) => send(`one of many ${index}`)));
        await held(12);
        system.signal("SIGSTOP", service);
        await release();
        const codes = (await answering).map(({ errors }) => errors?.[0]?.extensions.code);
        assert.deepEqual(new Set(codes), new Set(["TRANSACTION_ABORTED"]));
      });
      system.signal("SIGCONT", service);
      await whole();
    });

    for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
      await t.step(`${signal} in the middle of its prepare, which PostgreSQL still finishes`, async () => {
        const { starts } = system.node(service).process;
        await holdingPrepares(system, service, async (held, release) => {
          const aborted = isAborted(send(`${signal} in the middle`));
          await held(1);
          system.signal(signal, service);
          await release();
          if (signal === "SIGSTOP") {
            // Nobody is there to roll it back, whatever the coordinator says.
            await until("it is prepared", async () => (await preparedAt(system, service)).length === 1);
          }
          await aborted;
        });
        if (signal === "SIGSTOP") {
          assert.equal((await preparedAt(system, service)).length, 1);
          system.signal("SIGCONT", service);
        } else await until("it is started again", () => system.node(service).process.starts > starts);
        await whole();
      });
    }

    await t.step("it takes part again, and nothing of the aborted ones has come", async () => {
      await until("a send succeeds", async () => (await send("after")).errors === undefined);
      assert.deepEqual((await bob.inbox()).filter((message) => !message.startsWith("before")), ["after"]);
      assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, before.sent! + 1);
    });

    await t.step("stopped for good", async () => {
      const now = await traces(system);
      await system.node(service).process.stop(5_000);
      await isAborted(send("to one that is gone"));
      await isAborted(send("and again"));
      await settled(system);
      assert.deepEqual(await traces(system), now);
    });
  });
}

Deno.test("aborts - of a burst while counter is killed and comes back, each send is whole or nowhere", async () => {
  await using senders = await start();
  const { system, ann, bob, send } = senders;
  const known = await committed(system);
  const answers: Answer[] = [];
  const { starts } = system.node("counter").process;

  // Senders that go on until counter is back and each has succeeded a few times more.
  let isBack = false;
  const sender = async (name: number) => {
    for (let left = 3, nth = 0; left > 0; nth++) {
      const answer = await send(`${name}-${nth}`);
      answers.push(answer);
      if (answer.errors === undefined && isBack) left--;
    }
  };
  const sending = Promise.all(Array.from({ length: 12 }, (_, name) => sender(name)));
  await until("the burst is under way", () => answers.length > 20);
  system.signal("SIGKILL", "counter");
  await until("counter is back", () => {
    const { process } = system.node("counter");
    return process.starts > starts && process.state === "ready";
  });
  isBack = true;
  await sending;
  await settled(system);

  const codes = answers.flatMap(({ errors }) => errors?.map((error) => error.extensions.code) ?? []);
  assert.deepEqual(new Set(codes), new Set(["TRANSACTION_ABORTED"]));
  const sent = answers.flatMap(({ data }) => data?.sendNotification?.id ?? []) as string[];
  assert.deepEqual((await committed(system)).filter((id) => !known.includes(id)), sent.sort());
  assert.equal((await bob.inbox()).length, known.length + sent.length);
  assert.equal((await ann.get("{ me { sentCount } }")).me.sentCount, known.length + sent.length);
});
