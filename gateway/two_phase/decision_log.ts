/**
 * The decision log: one durable row for each decided transaction (migrations/000001_decisions.sql). In: the coordinator, after all
 * votes; a participant's inquiry. Out: what is decided, for good. Next: `services/notifications/feed.ts`, once phase two has committed.
 */

import { crashPoint, crashPointSoon } from "../../kit/crash_points.ts";
import type { Sql } from "../../kit/database.ts";
import { SECOND } from "../../kit/time.ts";

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
/** An unfinished decision of one's own is left to its coordinator for so long, in milliseconds. */
const OWN_AFTER_MS = 10 * SECOND;
/** How long marks of finished transactions are collected before they are written together, in milliseconds. */
const FINISH_EVERY_MS = 200;
/** How many marks wait for a database that is away. */
const MOST_FINISHED = 10_000;

export class DecisionLog {
  #waiting: Waiting[] = [];
  #writing = 0;
  #finished: string[] = [];
  #finishing: Promise<void> | undefined;

  /** `gatewayId` is whose lease stands for what is decided here. */
  constructor(private readonly sql: Sql, private readonly gatewayId: string) {}

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
    crashPointSoon("gateway: while the decision is written");
    const inserted = await this.sql<{ transaction_id: string; state: Decision }[]>`
      insert into decisions (transaction_id, state, participants, done, owner)
      select id, state, string_to_array(participants, ','), state = 'aborted', ${this.gatewayId}
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
      crashPoint("gateway: before the mark of done");
      try {
        await this.sql`update decisions set done = true where transaction_id = any(${ids}::text[])`;
      } catch {
        // The next one writes them as well; those that are too many are found again by recovery.
        if (this.#finished.length < MOST_FINISHED) { for (const id of ids) this.finished(id); }
      }
      crashPoint("gateway: after the mark of done");
    }
  }

  /** Committed ones that not all participants have confirmed; oldest first. */
  async unfinished(limit: number): Promise<(Unfinished & { readonly decidedAt: Date })[]> {
    return await this.sql<(Unfinished & { decidedAt: Date })[]>`
      select transaction_id as "transactionId", participants, decided_at as "decidedAt" from decisions where not done order by decided_at limit ${limit}`;
  }

  /** How many of these there are, and when the first was decided. */
  async countUnfinished(): Promise<{ readonly count: number; readonly since: Date | null }> {
    const [row] = await this.sql<{ count: number; since: Date | null }[]>`
      select count(*)::int as count, min(decided_at) as since from decisions where not done`;
    return row!;
  }

  /** Of `ids`, those that somebody still has to commit. */
  async unfinishedAmong(ids: readonly string[]): Promise<string[]> {
    const rows = await this.sql<{ transaction_id: string }[]>`
      select transaction_id from decisions where not done and transaction_id = any(${[...ids]}::text[])`;
    return rows.map((row) => row.transaction_id);
  }

  /**
   * Unfinished ones that are this gateway's to drive: its own that its coordinator must have lost, and those whose owner's lease has ended, which become its own.
   * Two gateways that ask at once get different ones; it would do no harm if they didn't. `except` are those that wouldn't get on now.
   */
  async takeOver(limit: number, except: readonly string[]): Promise<Unfinished[]> {
    return await this.sql<Unfinished[]>`
      update decisions set owner = ${this.gatewayId} where transaction_id in (
        select transaction_id from decisions d where not done and transaction_id <> all(${[...except]}::text[])
          and (owner is null or (owner = ${this.gatewayId} and decided_at < now() - ${OWN_AFTER_MS} * interval '1 millisecond') or not exists (select from leases l where l.gateway_id = d.owner and l.until > now()))
        order by decided_at limit ${limit} for update skip locked
      ) returning transaction_id as "transactionId", participants`;
  }

  /** Forgets what has been finished for so long that nobody can ask for it, in a small batch; how many. */
  async prune(olderThanMs: number, limit: number): Promise<number> {
    const rows = await this.sql`delete from decisions where transaction_id in (
      select transaction_id from decisions where done and decided_at < now() - ${olderThanMs} * interval '1 millisecond'
      order by decided_at limit ${limit}) returning 1`;
    return rows.length;
  }
}
