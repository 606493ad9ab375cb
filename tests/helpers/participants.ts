/** The routes of two-phase commit, asked by a test in the coordinator's place. */

import assert from "node:assert/strict";
import { call } from "../../kit/call.ts";
import { newId } from "../../kit/ids.ts";
import { MINUTE, SECOND } from "../../kit/time.ts";
import { SECRET, type System } from "./system.ts";
import type { User } from "./client.ts";

const PARTICIPANTS = ["notifications", "counter"] as const;

/** Prepares a notification on both participants and leaves it at that: its id, which is the transaction's as well. */
export async function prepareByHand(
  system: System,
  sender: User,
  topicId: string,
  message: string,
  deadlineMs = MINUTE,
): Promise<string> {
  const id = newId();
  const input = { notificationId: id, topicId, fromUserId: sender.id, message, to: [] };
  for (const service of PARTICIPANTS) {
    const { body } = await call(`${system.url(service)}/api/prepare_2pc`, {
      body: { transactionId: id, operation: "sendNotification", input, deadlineMs },
      secret: SECRET,
      limitMs: 5 * SECOND,
    });
    assert.deepEqual(body, { vote: "yes" });
  }
  return id;
}

/** Commits on both participants what {@link prepareByHand} has prepared. */
export async function commitByHand(system: System, id: string): Promise<void> {
  for (const service of PARTICIPANTS) {
    const { body } = await call(`${system.url(service)}/api/commit_2pc`, {
      body: { transactionId: id },
      secret: SECRET,
      limitMs: 5 * SECOND,
    });
    assert.equal((body as { state: string }).state, "committed");
  }
}

/** The same without the services, which may be frozen: nobody gives it a position then. */
export async function commitInDatabases(system: System, id: string): Promise<void> {
  for (const service of PARTICIPANTS) {
    await system.database(service).unsafe(`commit prepared 'notifyx:${service}:${id}'`);
  }
}
