/**
 * The decision log: one durable row for each decided transaction (migrations/000001_decisions.sql). In: the coordinator, after all
 * votes; a participant's inquiry. Out: what is decided, for good. Next: `services/notifications/feed.ts`, once phase two has committed.
 */

import type { Sql } from "../../kit/database.ts";

export type Decision = "committed" | "aborted";

export interface Unfinished {
  readonly transactionId: string;
  readonly participants: readonly string[];
}

/** How long marks of finished transactions are collected before they are written together, in milliseconds. */
const FINISH_EVERY_MS = 200;

export class DecisionLog {
  #finished: string[] = [];
  #finishing: Promise<void> | undefined;

  constructor(private readonly sql: Sql) {}

  /**
   * Decides, if nobody has yet; what is decided now, by whomever. An abort needs nobody to be told: no row at all means the same.
   * An error of this call is no decision: ask again until it answers.
   */
  async decide(transactionId: string, decision: Decision, participants: readonly string[]): Promise<Decision> {
    const rows = await this.sql<{ state: Decision }[]>`
      insert into decisions (transaction_id, state, participants, done)
      values (${transactionId}, ${decision}, ${[...participants]}::text[], ${decision === "aborted"})
      on conflict (transaction_id) do nothing returning state`;
    return rows[0]?.state ?? (await this.read(transactionId))!;
  }

  async read(transactionId: string): Promise<Decision | undefined> {
    const rows = await this.sql<
      { state: Decision }[]
    >`select state from decisions where transaction_id = ${transactionId}`;
    return rows[0]?.state;
  }

  /** Every participant has confirmed. Written a little later, many at once: a mark that is lost costs a repeated commit. */
  finished(transactionId: string): void {
    this.#finished.push(transactionId);
    this.#finishing ??= new Promise<void>((resolve) => setTimeout(resolve, FINISH_EVERY_MS)).then(() => this.flush());
  }

  async flush(): Promise<void> {
    const ids = this.#finished;
    this.#finished = [];
    this.#finishing = undefined;
    if (ids.length > 0) {
      await this.sql`update decisions set done = true where transaction_id = any(${ids}::text[])`.catch(() => {});
    }
  }

  /** Committed ones that not all participants have confirmed, decided more than `olderThanMs` ago; oldest first. */
  async unfinished(olderThanMs: number, limit: number): Promise<Unfinished[]> {
    return await this.sql<Unfinished[]>`
      select transaction_id as "transactionId", participants from decisions
      where not done and decided_at < now() - ${olderThanMs} * interval '1 millisecond' order by decided_at limit ${limit}`;
  }
}
