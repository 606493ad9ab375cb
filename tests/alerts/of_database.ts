/** Faults of PostgreSQL. */

import { connect } from "../../kit/database.ts";
import type { ServiceName } from "../../kit/ports.ts";
import { SECOND } from "../../kit/time.ts";
import type { System } from "../helpers/system.ts";
import { again, type Fault } from "./fault.ts";

/** How many the server of a stage takes: `max_connections`, `max_prepared_transactions`. */
export const CONNECTIONS = 150;
export const PREPARED = 100;

/** Of auth and others Prometheus hears nothing meanwhile: its clock is so fast that it doesn't wait for those who ask their database. */
export const databaseFrozen: Fault = {
  what: "PostgreSQL is frozen",
  raises: [
    { alert: "DatabaseAway", labels: { job: "counter" } },
    { alert: "DatabaseAway", labels: { job: "gateway" } },
  ],
  async make({ system }, ends) {
    ends.use(await system.freezePostgres());
  },
};

/** In the place of a full disk: PostgreSQL's own answer to a write on one. */
export const diskFull: Fault = {
  what: "a table can't be written, with PostgreSQL's error for a full disk",
  raises: [{ alert: "DatabaseDiskFull", labels: { job: "notifications" } }],
  async make({ system, ann }, ends) {
    const fails =
      `raise exception 'could not extend file "base/16384/16389": No space left on device' using errcode = 'disk_full'`;
    await atInsert(system, ends, "notifications", "topics", fails);
    again(ends, SECOND / 2, () => ann.createTopic());
  },
};

/** Counter's disk is slow. */
export const slowWrites: Fault = {
  what: "each write of counter takes 1.3 s",
  raises: [{ alert: "SendsSlow" }],
  make: ({ system }, ends) => atInsert(system, ends, "counter", "sends", "perform pg_sleep(1.3)"),
};

/** Another program has most of the connections. */
export const connectionsTaken: Fault = {
  what: "another program takes most of PostgreSQL's connections",
  raises: [{ alert: "DatabaseConnectionsNearLimit", withinMs: 90 * SECOND }],
  async make({ system }, ends) {
    const [{ count }] = await system.database("gateway")`select count(*) from pg_stat_activity` as unknown as [
      { count: number },
    ];
    const most = Math.floor(0.9 * CONNECTIONS) - count;
    const sql = connect(system.postgres.url, "hog", most);
    ends.defer(() => sql.end({ timeout: 1 }));
    const held = await Promise.all(Array.from({ length: most }, () => sql.reserve()));
    ends.defer(() => held.forEach((connection) => connection.release()));
  },
};

/** Another program has prepared transactions and doesn't come back for them. */
export const preparedLeft: Fault = {
  what: "another program leaves transactions prepared",
  raises: [{ alert: "PreparedTransactionsNearLimit", withinMs: 90 * SECOND }],
  async make({ system }, ends) {
    const sql = system.database("notifications");
    for (let nth = 0; nth < 0.85 * PREPARED; nth++) {
      const gid = `somebody-else:${nth}`;
      await sql.unsafe(`select 1; start transaction; prepare transaction '${gid}'`).simple();
      ends.defer(async () => void await sql.unsafe(`rollback prepared '${gid}'`));
    }
  },
};

/** Has PostgreSQL do something before each row that is put into a table. */
async function atInsert(
  system: System,
  ends: AsyncDisposableStack,
  service: ServiceName,
  table: string,
  statement: string,
): Promise<void> {
  const sql = system.database(service);
  const does = (body: string) =>
    sql.unsafe(`create or replace function at_insert() returns trigger language plpgsql as $$ begin
        ${body};
        return new;
      end $$`);
  await does(statement);
  // The trigger stays: to drop it would wait for all that is under way on its table.
  ends.defer(async () => void await does("null"));
  await sql.unsafe(`create trigger at_insert before insert on ${table} for each row execute function at_insert()`);
}
