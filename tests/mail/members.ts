/** Hands mails to the mail service as the other services do, and strikes at its nodes. */

import { deepEqual } from "node:assert/strict";
import { SECRET, type System } from "../helpers/system.ts";

/** The most of one call. */
const BATCH = 100;

/** One mail for each of `to`, of `userId` or of the system itself; their ids. */
export async function handOver(system: System, to: readonly string[], userId?: string): Promise<string[]> {
  const mails = to.map((address) => ({
    id: crypto.randomUUID(),
    to: address,
    userId,
    template: "plain",
    data: { subject: "Soup", message: "It is ready." },
  }));
  for (let at = 0; at < mails.length; at += BATCH) {
    const answer = await fetch(`${system.url("mail")}/api/mails`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}` },
      body: JSON.stringify({ mails: mails.slice(at, at + BATCH) }),
    });
    deepEqual([answer.status, await answer.json()], [200, {}]);
  }
  return mails.map(({ id }) => id);
}

/** Sends `signal` to a node's process; false where it has just ended by itself, which is not known here yet. */
export function strikeDown(process: { readonly pid?: number }, signal: Deno.Signal): boolean {
  try {
    Deno.kill(process.pid!, signal);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
