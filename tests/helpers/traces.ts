/** What sends have left in the databases of the participants, seen past the services: for tests in which those are away. */

import assert from "node:assert/strict";
import type { ServiceName } from "../../kit/ports.ts";
import { type System, until } from "./system.ts";

/** How many rows of sends there are, by table; an aborted send changes none of them. */
export async function traces(system: System): Promise<Record<string, number>> {
  const [notifications] = await system.database("notifications")`select
    (select count(*) from notifications) as notifications,
    (select count(*) from recipients) as recipients,
    (select count(*) from feed_pending) as feed_pending,
    (select count(*) from feed where kind = 'notification') as feed,
    (select count(*) from two_phase_outcomes where state = 'committed') as committed`;
  const [counter] = await system.database("counter")`select
    (select count(*) from sends) + (select coalesce(sum(sent), 0) from totals)::bigint as sent,
    (select count(*) from two_phase_outcomes where state = 'committed') as counted`;
  return { ...notifications, ...counter };
}

/** Waits until no database holds anything prepared: within the 15 s that the contract gives. */
export async function settled(system: System): Promise<void> {
  await until("nothing is in doubt", async () => (await system.prepared()).length === 0, 15_000);
}

/** The ids of what is committed at both participants; fails if one of them has what the other hasn't. */
export async function committed(system: System): Promise<string[]> {
  const [notifications, counter] = await Promise.all(
    (["notifications", "counter"] as const).map(async (service) => {
      const rows = await system.database(service)`
        select transaction_id from two_phase_outcomes where state = 'committed' order by transaction_id`;
      return rows.map((row) => row.transaction_id as string);
    }),
  );
  assert.deepEqual(notifications, counter);
  return notifications!;
}

/** The ids of all notifications that have a position, in the order of these. */
export async function inOrder(system: System): Promise<string[]> {
  const rows = await system.database("notifications")`
    select notification_id from feed where kind = 'notification' order by position`;
  return rows.map((row) => row.notification_id as string);
}

/** The table that a participant's prepare writes to. */
const WRITTEN = { notifications: "notifications", counter: "sends" } as const;

/**
 * Stops every prepare of a participant in its last statement but PREPARE TRANSACTION, and calls `use` with a function that lets them go
 * on. `use` has a second before they give up by themselves.
 */
export async function holdingPrepares(
  system: System,
  service: keyof typeof WRITTEN,
  use: (held: (count: number) => Promise<void>, release: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const sql = system.database(service);
  const connection = await sql.reserve();
  try {
    await connection.unsafe(`begin; lock table ${WRITTEN[service]} in share mode`);
    const held = (count: number) =>
      until(`${count} prepares wait`, async () => {
        const rows = await sql`select 1 from pg_locks where not granted and database =
          (select oid from pg_database where datname = current_database())`;
        return rows.length >= count;
      }, 5_000);
    await use(held, async () => void await connection`commit`);
  } finally {
    await connection`rollback`;
    connection.release();
  }
}

/** The prepared transactions in the database of a service. */
export async function preparedAt(system: System, service: ServiceName): Promise<string[]> {
  const rows = await system.database(service)`select gid from pg_prepared_xacts where database = current_database()`;
  return rows.map((row) => row.gid as string);
}
