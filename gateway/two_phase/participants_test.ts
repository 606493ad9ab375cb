/** Which instance of a participant is asked, and what its answers mean. */

import assert from "node:assert/strict";
import type { CallAnswer } from "../../kit/call.ts";
import type { Directory, Instance } from "../../kit/directory.ts";
import { Balancer } from "../balancer.ts";
import type { Channels } from "./channels.ts";
import { Participants } from "./participants.ts";

const STOPS = { status: 503, body: { error: "the participant is full or stops", code: "SERVICE_UNAVAILABLE" } };
const PREPARE = { transactionId: "t", operation: "sendNotification", input: {}, deadlineMs: 10_000 };

/** Instances that answer the same to everything, by their names. */
function participants(answers: Record<string, CallAnswer>) {
  const asked: string[] = [];
  const instances = Object.keys(answers).map((id) => ({ id }) as Instance);
  const directory = { instances: () => instances } as unknown as Directory;
  const channels = {
    ask({ id }: Instance) {
      asked.push(id);
      return Promise.resolve(answers[id]!);
    },
  } as unknown as Channels;
  const balancer = new Balancer(directory, { isLive: () => Promise.resolve(true) });
  return { participants: new Participants(balancer, channels), asked };
}

Deno.test("participants - one that is full or stops is followed by the next, at every step", async () => {
  for (let first = 0; first < 2; first++) {
    const given = participants({ a: STOPS, b: { status: 200, body: { vote: "yes", result: { cursor: "c" } } } });
    if (first === 1) await given.participants.rollback("counter", "t", 1_000);
    await given.participants.prepare("counter", PREPARE, 1_000);
    assert.deepEqual(await given.participants.commit("counter", "t", 1_000), { cursor: "c" });
    await given.participants.rollback("counter", "t", 1_000);
    for (let time = 0; time < 20; time++) await given.participants.commit("counter", "t", 1_000);
    // For a while it isn't asked again: its breaker has opened.
    assert.equal(given.asked.filter((id) => id === "a").length, 5);
  }
});

Deno.test("participants - all full or stopping is no vote, and no outcome either", async () => {
  const { participants: all, asked } = participants({ a: STOPS, b: STOPS });
  await assert.rejects(all.prepare("counter", PREPARE, 1_000), { code: "SERVICE_UNAVAILABLE" });
  await assert.rejects(all.commit("counter", "t", 1_000), { code: "SERVICE_UNAVAILABLE" });
  assert.deepEqual(asked.toSorted(), ["a", "a", "b", "b"]);
});

Deno.test("participants - a vote of no is one, and a commit that is refused is damage: nobody else is asked", async () => {
  const no = { status: 409, body: { vote: "no", error: "not to you", code: "FORBIDDEN" } };
  const { participants: all, asked } = participants({ a: no, b: no });
  await assert.rejects(all.prepare("counter", PREPARE, 1_000), { code: "FORBIDDEN", message: "not to you" });
  await assert.rejects(all.commit("counter", "t", 1_000), { name: "Damage" });
  assert.equal(asked.length, 2);
});

Deno.test("participants - what a vote of no says that may be internal stays here", async () => {
  const trace = ["at prepare (/srv/x.js)"];
  const said = { error: "not to you\n    at prepare (/srv/x.js)", code: "FORBIDDEN", notSubscribed: ["a"], trace };
  const { participants: one } = participants({ a: { status: 409, body: { vote: "no", ...said } } });
  const error = await one.prepare("counter", PREPARE, 1_000).catch((error) => error);
  assert.deepEqual([error.message, error.extensions], ["not to you", { code: "FORBIDDEN", notSubscribed: ["a"] }]);
  const internal = { vote: "no", code: "INTERNAL", error: "relation x" };
  const { participants: other } = participants({ a: { status: 409, body: internal } });
  await assert.rejects(other.prepare("counter", PREPARE, 1_000), { code: "TRANSACTION_ABORTED", message: /could not/ });
});
