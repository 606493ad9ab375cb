/** The check after every crash: what the decision log, each participant and the feed hold is the same, and nothing is in doubt. */

import type { ServiceName } from "../../kit/ports.ts";
import { delay, SECOND } from "../../kit/time.ts";
import type { System } from "./system.ts";

/** How soon after everything is back nothing may be in doubt, in milliseconds (contract). */
export const SETTLE_LIMIT_MS = 15 * SECOND;

export interface Whole {
  /** The committed transactions, which are the notifications. */
  readonly ids: readonly string[];
  /** Notifications by what they say; a text that was sent twice has two. */
  readonly messages: ReadonlyMap<string, readonly string[]>;
  /** How long it took until all was the same, in milliseconds. */
  readonly afterMs: number;
}

/** Waits until nothing is in doubt and no send is half done. @throws Error after `limitMs` with each difference */
export async function whole(system: System, limitMs = SETTLE_LIMIT_MS): Promise<Whole> {
  const began = performance.now();
  for (;;) {
    const afterMs = performance.now() - began;
    const { differences, ids, messages } = await look(system).catch((error) => ({
      differences: [`can't be read: ${error.message}`],
      ids: [],
      messages: new Map<string, string[]>(),
    }));
    if (differences.length === 0) return { ids, messages, afterMs };
    if (afterMs > limitMs) throw new Error(`after ${(limitMs / SECOND).toFixed(0)} s: ${differences.join("; ")}`);
    await delay(100);
  }
}

async function look(system: System) {
  const column = async (service: ServiceName, query: string): Promise<string[]> => {
    const rows = await system.database(service).unsafe(query).values();
    return rows.map((row) => String(row[0]));
  };
  const outcomes = "select transaction_id from two_phase_outcomes where state = 'committed'";
  const prepared = await system.prepared();
  const committed = await column("gateway", "select transaction_id from decisions where state = 'committed'");
  const others: Record<string, string[]> = {
    "notifications' outcomes": await column("notifications", outcomes),
    "the notifications": await column("notifications", "select id from notifications"),
    "the feed": await column("notifications", "select notification_id from feed where kind = 'notification'"),
    "counter's outcomes": await column("counter", outcomes),
  };
  const differences = prepared.map((gid) => `${gid} is prepared`);
  for (const [where, ids] of Object.entries(others)) {
    const [here, there] = [new Set(ids), new Set(committed)];
    for (const id of here.difference(there)) differences.push(`${id} is in ${where} and not decided`);
    for (const id of there.difference(here)) differences.push(`${id} is decided and not in ${where}`);
    if (here.size !== ids.length) differences.push(`${where} holds something twice`);
  }
  const counts: Record<string, [string, number]> = {
    "not marked as done": [(await column("gateway", "select count(*) from decisions where not done"))[0]!, 0],
    "waiting for a position": [(await column("notifications", "select count(*) from feed_pending"))[0]!, 0],
    counted: [
      (await column(
        "counter",
        "select (select count(*) from sends) + (select coalesce(sum(sent), 0) from totals)::bigint",
      ))[0]!,
      committed.length,
    ],
  };
  for (const [what, [is, wanted]] of Object.entries(counts)) {
    if (Number(is) !== wanted) differences.push(`${is} and not ${wanted} are ${what}`);
  }
  const rows = await system.database("notifications")<{ id: string; message: string }[]>`
    select id, message from notifications`;
  const messages = new Map(
    [...Map.groupBy(rows, (row) => row.message)].map(([text, all]) => [text, all.map(({ id }) => id)] as const),
  );
  return { differences, ids: committed, messages };
}
