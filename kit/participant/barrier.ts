/**
 * One participant's side of two-phase commit on PostgreSQL's prepared transactions: prepare, commit and rollback in any order, any
 * number of times, from any instance of the service.
 *
 * The barrier is one outcome row for each transaction. `prepare` writes it as `committed` inside the prepared transaction itself, so that
 * it becomes visible with the work and not before; `rollback` writes it as `aborted`, so that a prepare that comes later finds the
 * place taken. PostgreSQL's 42704 is the same for committed, rolled back and never prepared: only the outcome row tells them apart.
 *
 * Next: `services/notifications/two_phase.ts` is the work that is done between BEGIN and PREPARE TRANSACTION.
 */

import { crashPoint, crashPointSoon } from "../crash_points.ts";
import type { Sql } from "../database.ts";
import {
  DUPLICATE_OBJECT,
  errorCode,
  LOCK_NOT_AVAILABLE,
  OBJECT_NOT_IN_PREREQUISITE_STATE,
  raisedError,
  UNDEFINED_OBJECT,
  UNIQUE_VIOLATION,
} from "../database_errors.ts";
import { UserError } from "../errors.ts";
import { delay, SECOND } from "../time.ts";
import { statement } from "./statement.ts";
import { checkTransactionId } from "./transaction_id.ts";

export type Outcome = "committed" | "aborted";

/** The statements of an operation, each made by `statement` of statement.ts; they go to the database all at once. */
export type Work = readonly string[];

/** How long commit and rollback go round while another session has hold of the same transaction, in milliseconds. */
const SETTLE_LIMIT_MS = 4 * SECOND;
const SETTLE_PAUSE_MS = 20;
/** The same for a prepare, whose vote has to come within 2.4 s and whose last try may take 1 s, in milliseconds. */
const PREPARE_LIMIT_MS = 1.2 * SECOND;

/** An outcome as it stands in the order of their times; `decidedAt` is PostgreSQL's text, to the microsecond. */
export interface OldOutcome {
  readonly transactionId: string;
  readonly decidedAt: string;
}

/** What the driver gives for several statements: one result, or one for each that has rows, of which the last has the last tag. */
interface Answer {
  readonly command?: string;
}

export class Barrier {
  readonly #prefix: string;

  constructor(private readonly sql: Sql, service: string) {
    this.#prefix = `notifyx:${service}:`;
  }

  /**
   * Does `work` and keeps it prepared. Resolves once that is durable, also when it had been before.
   * @throws UserError what the work refuses; `TRANSACTION_ABORTED` when this transaction was rolled back already
   */
  async prepare(transactionId: string, work: Work): Promise<void> {
    // One message for all of it, on no connection of its own: what stands before START TRANSACTION in a message is part of that
    // transaction, and where it fails PostgreSQL ends the transaction itself. So the connection is clean whatever happens, and one that
    // is lost is the pool's affair: the driver crashes on a reserved one that is written to or given back then. (It refuses BEGIN here.)
    const statements = [
      statement`insert into two_phase_outcomes (transaction_id, state) values (${transactionId}, 'committed')`,
      ...work,
      "start transaction",
      `prepare transaction '${this.#gid(transactionId)}'`,
    ];
    await this.#settle(() => this.#tryToPrepare(transactionId, statements.join(";")), PREPARE_LIMIT_MS);
  }

  /** @throws UserError `CONFLICT` when the transaction was rolled back or never prepared: what the coordinator decided is not so here. */
  async commit(transactionId: string): Promise<void> {
    await this.#settle(async () => {
      crashPoint("participant: before COMMIT PREPARED");
      crashPointSoon("participant: while COMMIT PREPARED runs");
      const code = await this.#finish("commit", transactionId);
      crashPoint("participant: after COMMIT PREPARED");
      if (code === undefined) return true;
      if (code === OBJECT_NOT_IN_PREREQUISITE_STATE) return false;
      const outcome = await this.outcome(transactionId);
      if (outcome === "committed") return true;
      throw new UserError(
        "CONFLICT",
        outcome === "aborted" ? "this transaction was rolled back" : "this transaction was never prepared",
      );
    });
  }

  /** @throws UserError `CONFLICT` when the transaction is committed already */
  async rollback(transactionId: string): Promise<void> {
    await this.#settle(async () => {
      crashPoint("participant: before ROLLBACK PREPARED");
      const code = await this.#finish("rollback", transactionId);
      crashPoint("participant: after ROLLBACK PREPARED");
      if (code === OBJECT_NOT_IN_PREREQUISITE_STATE) return false;
      try {
        await this.sql`insert into two_phase_outcomes (transaction_id, state) values (${transactionId}, 'aborted')
          on conflict (transaction_id) do nothing`;
      } catch (error) {
        // A prepare of the same transaction holds the row: look again, it may be prepared by now.
        if (errorCode(error) === LOCK_NOT_AVAILABLE) return false;
        throw error;
      }
      crashPoint("participant: after the row of an abort");
      const outcome = await this.outcome(transactionId);
      if (outcome === "committed") throw new UserError("CONFLICT", "this transaction is committed");
      return outcome === "aborted";
    });
  }

  async outcome(transactionId: string): Promise<Outcome | undefined> {
    const rows = await this.sql<{ state: Outcome }[]>`
      select state from two_phase_outcomes where transaction_id = ${transactionId}`;
    return rows[0]?.state;
  }

  /** What this service can say of a transaction; only looks. */
  async state(transactionId: string): Promise<Outcome | "prepared" | "unknown"> {
    const outcome = await this.outcome(transactionId);
    if (outcome !== undefined) return outcome;
    const gid = this.#gid(transactionId);
    const rows = await this.sql`
      select from pg_prepared_xacts where gid = ${gid} and database = current_database() and owner = current_user`;
    return rows.length > 0 ? "prepared" : "unknown";
  }

  /** Outcomes that are older than `ageMs`, oldest first, at most `limit` behind `after`. */
  async outcomesOlderThan(ageMs: number, limit: number, after?: OldOutcome): Promise<OldOutcome[]> {
    const { transactionId, decidedAt } = after ?? { transactionId: "", decidedAt: "-infinity" };
    return await this.sql<OldOutcome[]>`
      select transaction_id as "transactionId", decided_at::text as "decidedAt" from two_phase_outcomes
      where decided_at < now() - ${ageMs} * interval '1 millisecond'
        and (decided_at, transaction_id) > (${decidedAt}::text::timestamptz, ${transactionId})
      order by decided_at, transaction_id limit ${limit}`;
  }

  async forget(transactionIds: readonly string[]): Promise<void> {
    await this.sql`delete from two_phase_outcomes where transaction_id = any(${[...transactionIds]}::text[])`;
  }

  /** What this service holds prepared, with its age in milliseconds; never what belongs to another owner. */
  async prepared(): Promise<{ transactionId: string; ageMs: number }[]> {
    const rows = await this.sql<{ gid: string; age_ms: number }[]>`
      select gid, (extract(epoch from clock_timestamp() - prepared) * 1000)::float8 as age_ms from pg_prepared_xacts
      where database = current_database() and owner = current_user and starts_with(gid, ${this.#prefix}) order by prepared`;
    return rows.map(({ gid, age_ms }) => ({ transactionId: gid.slice(this.#prefix.length), ageMs: age_ms }));
  }

  /** Undefined when it is done, else the SQLSTATE for which there is something to look at. */
  async #finish(how: "commit" | "rollback", transactionId: string): Promise<string | undefined> {
    try {
      await this.sql.unsafe(`${how} prepared '${this.#gid(transactionId)}'`);
      return undefined;
    } catch (error) {
      const code = errorCode(error);
      if (code === UNDEFINED_OBJECT || code === OBJECT_NOT_IN_PREREQUISITE_STATE) return code;
      throw error;
    }
  }

  /** False while another call has hold of it and nobody knows what becomes of that one. */
  async #tryToPrepare(transactionId: string, statements: string): Promise<boolean> {
    try {
      crashPoint("participant: before PREPARE TRANSACTION");
      crashPointSoon("participant: while PREPARE TRANSACTION runs");
      const answer = await this.sql.unsafe(statements).simple() as unknown as Answer | Answer[];
      // In a failed transaction PREPARE TRANSACTION raises nothing: it answers ROLLBACK, and nothing is prepared.
      const tag = ("command" in answer ? answer : (answer as Answer[]).at(-1))?.command;
      if (!tag?.startsWith("PREPARE")) throw new Error(`PREPARE TRANSACTION answered ${tag}`);
      return true;
    } catch (error) {
      // It may still be one that was done before, or at once by another call.
      const code = errorCode(error);
      if (code !== UNIQUE_VIOLATION && code !== LOCK_NOT_AVAILABLE && code !== DUPLICATE_OBJECT) {
        throw raisedError(error);
      }
      if ((await this.prepared()).some((one) => one.transactionId === transactionId)) return true;
      const outcome = await this.outcome(transactionId);
      if (outcome === "committed") return true;
      if (outcome === "aborted") throw new UserError("TRANSACTION_ABORTED", "this transaction was rolled back");
      // The other call may be at work yet, longer than one waits for its row; or it ends just now: COMMIT and ROLLBACK PREPARED let the row go
      // a moment before the name (PostgreSQL's FinishPreparedTransaction).
      if (code === LOCK_NOT_AVAILABLE || code === DUPLICATE_OBJECT) return false;
      throw raisedError(error);
    }
  }

  async #settle(step: () => Promise<boolean>, limitMs = SETTLE_LIMIT_MS): Promise<void> {
    const giveUpAt = Date.now() + limitMs;
    while (!await step()) {
      if (Date.now() > giveUpAt) throw new UserError("TIMEOUT", "another session has hold of this transaction");
      await delay(SETTLE_PAUSE_MS);
    }
  }

  #gid(transactionId: string): string {
    return `${this.#prefix}${checkTransactionId(transactionId)}`;
  }
}

/** Belongs into the first migration of each participant. */
export const OUTCOMES_MIGRATION = {
  name: "000000_two_phase_outcomes",
  sql: `create table two_phase_outcomes (
    transaction_id text primary key,
    state text not null check (state in ('committed', 'aborted')),
    decided_at timestamptz not null default clock_timestamp()
  );
  create index two_phase_outcomes_age on two_phase_outcomes (decided_at);`,
};
