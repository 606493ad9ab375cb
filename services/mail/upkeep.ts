/**
 * Keeps the tables in order, on one node at a time: removes what has ended long ago, and looks after the one thing that must always hold,
 * that each mail which is not sent yet has a job. Nothing breaks it that we know of; if something does, the mail is late and not lost.
 */

import type { Sql } from "../../kit/database.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, SECOND } from "../../kit/time.ts";
import { Emails } from "./emails.ts";

const PAUSE_MS = 30 * SECOND;
/** How many rows one statement removes. */
const BATCH = 1_000;
/** How many mails without a job one look finds. */
const MOST_ORPHANS = 1_000;
/** Of the advisory lock ("MAIL"). */
const LOCK_KEY = 0x4d41494c;

export class Upkeep {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly sql: Sql, private readonly keepDays: number, private readonly log: Logger) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (true) {
      // Nodes that were started together don't come together.
      await delay(PAUSE_MS * (0.5 + Math.random() / 2), signal);
      if (signal.aborted) return;
      try {
        await this.look();
      } catch (error) {
        countDatabaseError(error);
        this.log.warning("the upkeep of mails failed: {error}", { error: reason(error) });
      }
    }
  }

  /** One round; what is left comes in the next. */
  async look(): Promise<void> {
    const orphans = await this.sql.begin(async (transaction) => {
      const sql = transaction as unknown as Sql;
      const [{ free }] = await sql`select pg_try_advisory_xact_lock(${LOCK_KEY}) as free` as [{ free: boolean }];
      if (!free) return 0;
      await sql`delete from emails where id in (
        select id from emails where ended_at < now() - make_interval(days => ${this.keepDays}) limit ${BATCH})`;
      await sql`delete from mail_rates where user_id in (
        select user_id from mail_rates where began_at < now() - interval '1 hour' limit ${BATCH})`;
      // Jobs that were replaced while a node had them, which then died.
      await sql`select count(*) from graphile_worker.complete_jobs(array(
        select id from graphile_worker.jobs where key is null and locked_at is null and attempts >= max_attempts limit ${BATCH}))`;
      return await this.#adopt(sql);
    });
    if (orphans > 0) this.log.error("{orphans} mails had no job: they have one again", { orphans });
  }

  async #adopt(sql: Sql): Promise<number> {
    const orphans = await sql<{ id: string }[]>`
      select id from emails e where status in ('QUEUED', 'SENDING') and not exists (
        select from graphile_worker.jobs j where j.key = e.id::text)
      limit ${MOST_ORPHANS}`;
    if (orphans.length > 0) await new Emails(sql).giveBack(orphans.map(({ id }) => id));
    return orphans.length;
  }
}
