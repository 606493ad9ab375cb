/**
 * Sends from many while everything fails in turn. Each has a key and is repeated until its outcome is known; at the end nothing is lost,
 * nothing is there twice, nothing is half done, and a subscriber has had each once and in order.
 */

import { differences } from "../../cluster/tasks/audit_checks.ts";
import assert from "node:assert/strict";
import { delay, MINUTE, SECOND } from "../../kit/time.ts";
import { User } from "../helpers/client.ts";
import { isUnknown, type KeyedSend, tell } from "../helpers/keyed_send.ts";
import { listening, startSystem, until } from "../helpers/system.ts";
import { inOrder } from "../helpers/traces.ts";
import { whole } from "../helpers/whole.ts";
import { type FaultOptions, Faults } from "./faults.ts";
import { Random } from "./random.ts";
import { Subscriber } from "./subscriber.ts";

export interface SoakOptions extends FaultOptions {
  readonly sends: number;
  readonly senders: number;
  /** Over how long the sends are spread; when all goes well they would be over before anything fails. */
  readonly overMs: number;
}

/** How long a sender waits for one answer before it asks the other gateway, and how long it insists, in milliseconds. */
const ANSWER_LIMIT_MS = 5 * SECOND;
const INSIST_LIMIT_MS = 2 * MINUTE;

export async function soak(options: SoakOptions): Promise<void> {
  const random = Random.seeded();
  console.log(`seed ${random.seed}: NOTIFYX_TEST_SEED=${random.seed} does the same`);
  const counts = { gateway: 2, counter: 2, notifications: 2 };
  await using system = await startSystem({ durable: true, counts, env: { NOTIFYX_LIMITS: "off" } });
  const urls = [system.url("gateway", 0), system.url("gateway", 1)];
  const bob = await User.register(system);
  const senders: { user: User; topicId: string }[] = [];
  // One by one: a password's hash takes a core for a while.
  while (senders.length < options.senders) {
    const user = await User.register(system);
    const topicId = await user.createTopic();
    await bob.join(topicId);
    senders.push({ user, topicId });
  }
  const subscriber = new Subscriber(urls, bob.token);
  try {
    await listening(system, 1);
    const first = await senders[0]!.user.send(senders[0]!.topicId, "first of all");
    await until("the first is received", () => subscriber.received.length === 1);

    const ids = new Map([["first of all", first.id]]);
    const codes: Record<string, number> = {};
    const faults = new Faults(system, random, options);
    const perSender = options.sends / options.senders;
    const began = Date.now();
    try {
      await Promise.all(senders.map(async ({ user: { token }, topicId }, sender) => {
        for (let nth = 0; nth < perSender; nth++) {
          const at = began + (nth + sender / options.senders) * options.overMs / perSender;
          await delay(Math.max(0, at - Date.now()));
          const message = `${sender}.${nth}`;
          ids.set(message, await insist(urls, { token, topicId, message, key: message }, codes));
        }
      }));
    } finally {
      await faults.stop();
    }
    const sentAfter = Date.now() - began;
    await system.allReady(MINUTE);
    const { messages, ids: there, afterMs } = await whole(system);
    console.log(
      `${ids.size} sends known after ${(sentAfter / SECOND).toFixed(1)} s, all the same ${
        (afterMs / SECOND).toFixed(1)
      } s after everything was back;`,
      `befell: ${shown(faults.counts)}; told besides: ${
        shown(codes) || "nothing"
      }; resumed ${subscriber.resumed} times`,
    );

    const lost = [...ids.keys()].filter((message) => !messages.has(message));
    const twice = [...messages].filter(([, all]) => all.length > 1);
    const others = [...ids].filter(([message, id]) => messages.get(message)?.[0] !== id);
    console.log(`lost ${lost.length}, twice ${twice.length}, half 0`);
    assert.deepEqual({ lost, twice, others }, { lost: [], twice: [], others: [] });
    assert.equal(there.length, options.sends + 1);

    // What `deno task audit` compares, on the databases as they are.
    const audited = await differences({
      gateway: system.database("gateway"),
      notifications: system.database("notifications"),
      counter: system.database("counter"),
    });
    assert.deepEqual(audited, []);

    const expected = await inOrder(system);
    await until("all are received", () => subscriber.received.length >= expected.length, 30 * SECOND);
    assert.deepEqual(subscriber.received, expected);
  } finally {
    await subscriber.stop();
  }
}

/** Until it is sent; counts what it is told before. @throws Error when it is refused, or is not known in the end */
async function insist(urls: readonly string[], send: KeyedSend, codes: Record<string, number>): Promise<string> {
  const giveUpAt = Date.now() + INSIST_LIMIT_MS;
  const all: string[] = [];
  for (let turn = 0; Date.now() < giveUpAt; turn++) {
    const told = await tell(urls[(turn + send.message.length) % urls.length]!, send, ANSWER_LIMIT_MS);
    if ("id" in told) return told.id;
    all.push(told.code);
    codes[told.code] = (codes[told.code] ?? 0) + 1;
    const mayRepeat = isUnknown(told) || told.code === "TRANSACTION_ABORTED" || told.code === "TOO_MANY_REQUESTS";
    assert.ok(mayRepeat, `a send is told ${told.code}`);
    await delay(100);
  }
  throw new Error(`${send.message} is not known after ${INSIST_LIMIT_MS / SECOND} s: ${all.join(" ")}`);
}

function shown(counts: Record<string, number>): string {
  return Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(", ");
}
