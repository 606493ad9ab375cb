/** The SQL of the counter. */

import type { Sql } from "../../kit/database.ts";
import { isUuid } from "../../kit/ids.ts";

/** How many rows one fold takes. */
const FOLD_ROWS = 5_000;
/** Key of the advisory lock under which one node at a time folds ("NTFX", 2). */
const FOLD_KEY = 0x4e544658;

export class Counts {
  constructor(private readonly sql: Sql) {}

  /** How many notifications each of `ids` has sent, exactly, in their order: one statement sees one snapshot of both tables. */
  async sent(ids: readonly string[]): Promise<number[]> {
    const valid = [...new Set(ids.filter(isUuid).map((id) => id.toLowerCase()))];
    if (valid.length === 0) return ids.map(() => 0);
    const rows = await this.sql<{ user_id: string; sent: number }[]>`
      select wanted.user_id, coalesce((select sent from totals t where t.user_id = wanted.user_id), 0)
        + (select count(*) from sends s where s.user_id = wanted.user_id) as sent
      from unnest(${valid}::uuid[]) as wanted (user_id)`;
    const found = new Map(rows.map((row) => [row.user_id, row.sent]));
    return ids.map((id) => found.get(id.toLowerCase()) ?? 0);
  }

  /** Adds a batch of appended rows to their totals; how many they were. */
  async fold(): Promise<number> {
    const rows = await this.sql<{ folded: number }[]>`
      with turn as materialized (
        select pg_try_advisory_xact_lock(${FOLD_KEY}::int, 2) as mine
      ), gone as (
        delete from sends where transaction_id in (
          select transaction_id from sends where (select mine from turn) limit ${FOLD_ROWS}
        ) returning user_id
      ), added as (
        insert into totals (user_id, sent) select user_id, count(*) from gone group by user_id
        on conflict (user_id) do update set sent = totals.sent + excluded.sent
      )
      select count(*) as folded from gone`;
    return rows[0]!.folded;
  }
}
