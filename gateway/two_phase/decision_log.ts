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

interface Waiting {
  readonly transactionId: string;
  readonly decision: Decision;
  readonly participants: readonly string[];
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: unknown) => void;
}

/** How many statements write at once (while one waits for the disk, the next is on its way), and how many decisions each takes. */
const WRITERS = 2;
const BATCH = 100;
/** How long marks of finished transactions are collected before they are written together, in milliseconds. */
const FINISH_EVERY_MS = 200;

export class DecisionLog {
  #waiting: Waiting[] = [];
  #writing = 0;
  #finished: string[] = [];
  #finishing: Promise<void> | undefined;

  constructor(private readonly sql: Sql) {}

  /**
   * Decides, if nobody has yet; what is decided now, by whomever. An abort needs nobody to be told: no row at all means the same.
   * Decisions that come while others are being written are written together by the next statement.
   * An error of this call is no decision: ask again until it answers.
   */
  decide(transactionId: string, decision: Decision, participants: readonly string[]): Promise<Decision> {
    const waiting = { transactionId, decision, participants, ...Promise.withResolvers<Decision>() };
    this.#waiting.push(waiting);
    if (this.#writing < WRITERS) void this.#write();
    return waiting.promise;
  }

  async #write(): Promise<void> {
    this.#writing++;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const decided = await this.#insert(batch);
        for (const { transactionId, resolve } of batch) resolve(decided.get(transactionId)!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing--;
  }

  async #insert(batch: readonly Waiting[]): Promise<Map<string, Decision>> {
    const ids = batch.map((one) => one.transactionId);
    const inserted = await this.sql<{ transaction_id: string; state: Decision }[]>`
      insert into decisions (transaction_id, state, participants, done)
      select id, state, string_to_array(participants, ','), state = 'aborted'
      from unnest(${ids}::text[], ${batch.map((one) => one.decision)}::text[], ${
      batch.map((one) => one.participants.join(","))
    }::text[])
        as decided (id, state, participants)
      on conflict (transaction_id) do nothing returning transaction_id, state`;
    const decided = new Map(inserted.map((row) => [row.transaction_id, row.state]));
    const lost = ids.filter((id) => !decided.has(id));
    if (lost.length > 0) {
      const rows = await this.sql<{ transaction_id: string; state: Decision }[]>`
        select transaction_id, state from decisions where transaction_id in ${this.sql(lost)}`;
      for (const row of rows) decided.set(row.transaction_id, row.state);
    }
    return decided;
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
