/**
 * A participant in another language (tests/participant/participant.py, the example of docs/participant.md) that joins sendNotification
 * through discovery alone: it votes, is waited for, dies, comes back and is withdrawn; and the protocol's table, kept by all participants.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { newId } from "../kit/ids.ts";
import { call } from "../kit/call.ts";
import { SECOND } from "../kit/time.ts";
import { type Answer, User } from "./helpers/client.ts";
import { hasPython, Ledger, REFUSED_WORD } from "./helpers/ledger.ts";
import { checkParticipant, type Subject } from "./helpers/participant_conformance.ts";
import { SECRET, startSystem, type System, until } from "./helpers/system.ts";
import { committed, holdingPrepares, settled, traces } from "./helpers/traces.ts";

const SEND =
  "mutation ($topicId: ID!, $message: String!) { sendNotification(topicId: $topicId, message: $message) { id } }";
const ignore = !await hasPython();
if (ignore) console.log("third participant: skipped, since there is no python3 with sqlite3 on this machine");

Deno.test("participants - each keeps to the protocol's table, whatever it is written in", async (t) => {
  await using system = await startSystem();
  await using ledger = ignore ? undefined : await Ledger.start(system);
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  const input = (id: string) => ({ notificationId: id, topicId, fromUserId: ann.id, message: "x", to: [] });
  const count = async (service: "notifications" | "counter", text: string, id: string) =>
    (await system.database(service).unsafe(text, [id]))[0]!.count as number;
  const shared = { secret: SECRET, operation: "sendNotification", input };
  const subjects: Record<string, Subject> = {
    notifications: {
      ...shared,
      url: system.url("notifications"),
      refused: {
        input: (id) => ({ ...input(id), message: "" }),
        code: "BAD_USER_INPUT",
        error: "a message has 1 to 10000 characters; this one has 0",
      },
      done: (id) => count("notifications", "select count(*) from notifications where id = $1", id),
    },
    counter: {
      ...shared,
      url: system.url("counter"),
      refused: { input: () => ({}), code: "BAD_USER_INPUT", error: "input names no fromUserId" },
      done: (id) =>
        count(
          "counter",
          "select count(*) from two_phase_outcomes where state = 'committed' and transaction_id = $1",
          id,
        ),
    },
  };
  if (ledger !== undefined) {
    subjects.ledger = {
      ...shared,
      url: ledger.url,
      refused: {
        input: (id) => ({ ...input(id), message: REFUSED_WORD }),
        code: "FORBIDDEN",
        error: `the ledger takes no message with ${REFUSED_WORD}`,
      },
      done: async (id) => (await ledger.entries()).filter((entry) => entry.id === id).length,
    };
  }
  for (const [name, one] of Object.entries(subjects)) {
    await t.step(name, async (t) => await checkParticipant(t, one));
  }
  assert.deepEqual(await system.prepared(), []);
});

Deno.test({ name: "third participant - required as soon as it is there, until it is withdrawn", ignore }, async (t) => {
  await using system = await startSystem();
  const ann = await User.register(system);
  const topicId = await ann.createTopic();
  const send = (message: string) => ann.ask(SEND, { topicId, message });
  const id = (answer: Answer): string =>
    answer.data?.sendNotification?.id ?? assert.fail(JSON.stringify(answer.errors));
  /** The answer says that it was sent, and all three have it. */
  const onAll = async (answer: Answer) => {
    const sent = id(answer);
    assert.ok((await committed(system)).includes(sent));
    assert.ok((await ledger.entries()).some((entry) => entry.id === sent));
  };
  const isAborted = async (message: string) => {
    const begun = performance.now();
    const { errors } = await send(message);
    assert.equal(errors?.[0]?.extensions.code, "TRANSACTION_ABORTED");
    assert.ok(performance.now() - begun < 3_000, "the answer took 3 s");
  };
  const comesBack = () => until("a send succeeds", async () => (await send("are you back")).errors === undefined);
  id(await send("before it"));
  await using ledger = await Ledger.start(system);

  await t.step("within 2 s every send is in its ledger too", async () => {
    const begun = Date.now();
    await until("a send is in the ledger", async () => {
      const sent = id(await send("anyone there"));
      return (await ledger.entries()).some((entry) => entry.id === sent);
    }, 2_000);
    assert.ok(Date.now() - begun < 2_000);
    for (const answer of await Promise.all(Array.from({ length: 50 }, (_, at) => send(`at once ${at}`)))) {
      await onAll(answer);
    }
    await until("the gateway has written it down", async () => {
      const rows = await system.database("gateway")`select from participants where service = 'ledger'`;
      return rows.length === 1;
    });
  });

  await t.step("its vote of no is the answer, and nothing is left anywhere", async () => {
    const before = [await traces(system), await ledger.messages()];
    const { errors } = await send(`an ${REFUSED_WORD} thing`);
    assert.equal(errors?.[0]?.extensions.code, "FORBIDDEN");
    assert.equal(errors?.[0]?.message, `the ledger takes no message with ${REFUSED_WORD}`);
    await settled(system);
    assert.deepEqual([await traces(system), await ledger.messages()], before);
  });

  await t.step("another's vote of no aborts it here", async () => {
    const before = await ledger.messages();
    const { errors } = await send("");
    assert.equal(errors?.[0]?.extensions.code, "BAD_USER_INPUT");
    assert.deepEqual(await ledger.messages(), before);
  });

  await t.step("killed between its vote and the decision: it finds the commit when it is back", async () => {
    let sending: Promise<Answer> | undefined;
    await holdingPrepares(system, "notifications", async (held, release) => {
      const known = await ledger.messages();
      sending = send("decided without it");
      await held(1);
      await until("its vote is on its disk", async () => await ledger.prepared() > 0);
      assert.deepEqual(await ledger.messages(), known, "what is prepared is not seen");
      await ledger.end("SIGKILL");
      await release();
    });
    const sent = id(await sending!);
    assert.ok((await committed(system)).includes(sent));
    await ledger.start();
    await until("it is in the ledger", async () => await ledger.state(sent) === "committed", 15_000);
    await comesBack();
  });

  await t.step("killed with something prepared: past its deadline it inquires, and does as it is told", async () => {
    const [undecided, decided] = [newId(), newId()];
    const prepare = async (transactionId: string) => {
      const input = { notificationId: transactionId, topicId, fromUserId: ann.id, message: "left alone", to: [] };
      const body = { transactionId, operation: "sendNotification", input, deadlineMs: SECOND };
      return (await call(`${ledger.url}/api/prepare_2pc`, { body, secret: SECRET, limitMs: 5 * SECOND })).status;
    };
    for (const id of [undecided, decided]) assert.equal(await prepare(id), 200);
    await ledger.end("SIGKILL");
    await system.database("gateway")`insert into decisions (transaction_id, state, participants, done)
      values (${decided}, 'committed', '{}', true)`;
    await ledger.start();
    assert.equal(await ledger.prepared(), 2);
    await until("both are resolved", async () => await ledger.prepared() === 0, 15_000);
    assert.deepEqual([await ledger.state(undecided), await ledger.state(decided)], ["aborted", "committed"]);
    const [row] = await system.database("gateway")`select state from decisions where transaction_id = ${undecided}`;
    assert.equal(row?.state, "aborted", "asking decides");
    assert.deepEqual([await prepare(undecided), await prepare(decided)], [409, 200]);
  });

  await t.step("frozen: aborted within 3 s, also when discovery has dropped it, by a new gateway too", async () => {
    const known = await traces(system);
    ledger.signal("SIGSTOP");
    await isAborted("to a frozen one");
    await until("discovery has dropped it", async () => (await instances(system)) === 0, 15_000);
    await isAborted("to one that discovery has dropped");
    const { starts } = system.node("gateway").process;
    system.signal("SIGKILL", "gateway");
    await until("the gateway is back", () => {
      const { process } = system.node("gateway");
      return process.starts > starts && process.state === "ready";
    });
    await isAborted("by a new gateway");
    await settled(system);
    assert.deepEqual(await traces(system), known);
    ledger.signal("SIGCONT");
    await comesBack();
  });

  await t.step("deno task withdraw refuses while it runs, and lets sends go on once it is gone", async () => {
    const refused = await withdraw(system);
    assert.equal(refused.code, 1, refused.text);
    assert.match(refused.text, /ledger is running/);
    await onAll(await send("still with it"));

    await ledger.end("SIGTERM");
    assert.equal(await instances(system), 0, "a polite stop leaves discovery at once");
    await isAborted("without it");
    const withdrawn = await withdraw(system);
    assert.equal(withdrawn.code, 0, withdrawn.text);
    assert.match(withdrawn.text, /sendNotification goes on without ledger/);
    id(await send("without it, on purpose"));
    assert.match((await withdraw(system)).text, /did not need/);

    await ledger.start();
    await until("it takes part again", async () => {
      const sent = id(await send("with it again"));
      return (await ledger.entries()).some((entry) => entry.id === sent);
    });
  });
});

Deno.test(
  { name: "third participant - deno task audit asks it, and names what it holds otherwise", ignore },
  async () => {
    await using system = await startSystem();
    await using ledger = await Ledger.start(system);
    const ann = await User.register(system);
    const topicId = await ann.createTopic();
    await until("it takes part", async () => {
      const rows = await system.database("gateway")`select from participants where service = 'ledger'`;
      return rows.length === 1;
    });
    const [first, second] = [await ann.send(topicId, "first"), await ann.send(topicId, "second")];
    assert.equal(await ann.code(SEND, { topicId, message: "" }), "BAD_USER_INPUT");
    assert.deepEqual(await audit(system), { code: 0, lines: ["nothing differs"] });

    await ledger.falsify(first.id, "aborted");
    await ledger.falsify(second.id, "prepared");
    const { code, lines } = await audit(system);
    assert.equal(code, 1);
    assert.ok(lines.includes(`aborted by ledger, committed by the decision log: ${first.id}`), lines.join("\n"));
    assert.ok(lines.includes(`prepared by ledger, committed by the decision log: ${second.id}`), lines.join("\n"));
    assert.equal(lines.at(-1), "2 differences");

    await ledger.end("SIGKILL");
    assert.match((await audit(system)).lines[0]!, /can't be asked what it holds: ledger/);
  },
);

/** How many instances of it discovery names. */
async function instances(system: System): Promise<number> {
  const { status, body } = await call(`${system.url("discovery")}/api/services/ledger`, { limitMs: SECOND });
  return status === 404 ? 0 : (body as { instances: unknown[] }).instances.length;
}

function withdraw(system: System): Promise<{ code: number; text: string }> {
  return task(system, "withdraw", "ledger", "sendNotification");
}

async function audit(system: System): Promise<{ code: number; lines: string[] }> {
  const { code, text } = await task(system, "audit", "--seconds", "1");
  return { code, lines: text.trim().split("\n") };
}

async function task(system: System, ...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...args],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: {
      NOTIFYX_BASE_PORT: `${system.basePort}`,
      NOTIFYX_CLUSTER_SECRET: SECRET,
      NOTIFYX_DATABASE_URL: system.postgres.url,
      NO_COLOR: "1",
    },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
