/**
 * A user's idempotency keys: the same key within a day gives the first one's outcome, on whichever gateway, also when that one is gone.
 * The key's row names a transaction before that begins; what the decision log says of it is what the key stands for.
 */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { newId } from "../../kit/ids.ts";
import { isStorable } from "../../kit/text.ts";
import { DAY, delay, SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import { createHash } from "node:crypto";
import type { DecisionLog } from "./decision_log.ts";

/** How long a key stands for its transaction, in milliseconds. */
const KEY_LIFE_MS = DAY;
/** How long the second of two that run at once waits for the first, in milliseconds. */
const WAIT_LIMIT_MS = 8 * SECOND;
const LOOK_EVERY_MS = 50;
/** How long a call waits in all, in milliseconds: a database that has stopped in the middle of a statement answers neither yes nor no. */
const CLAIM_LIMIT_MS = WAIT_LIMIT_MS + SECOND;
/** A coordinator waits 2 s for a place and decides within 3 s; an older attempt without a decision was left by a gateway that is gone. */
const UNDECIDED_LIMIT_MS = 6 * SECOND;
const KEY_LIMIT = 200;

/** Either this call is to run the transaction, or it was done before. */
export type Claim = { readonly transactionId: string; readonly isFirst: boolean };

interface KeyRow {
  readonly transaction_id: string;
  readonly fingerprint: string;
  readonly age_ms: number;
}

export class IdempotencyKeys {
  constructor(private readonly sql: Sql, private readonly decisions: DecisionLog) {}

  /**
   * The transaction that the key stands for.
   * @throws UserError `BAD_USER_INPUT` for a key that is none, `CONFLICT` for one that was used with another input, `TIMEOUT` when the
   * first attempt has no outcome yet, or the database doesn't answer
   */
  async claim(userId: string, key: string, input: unknown): Promise<Claim> {
    if (key.length < 1 || key.length > KEY_LIMIT || !isStorable(key)) {
      throw new UserError("BAD_USER_INPUT", `an idempotencyKey has 1 to ${KEY_LIMIT} characters`);
    }
    const fingerprint = createHash("sha256").update(JSON.stringify(input)).digest("base64");
    const claiming = this.#claim(userId, key, fingerprint);
    try {
      return await withTimeLimit("the key", CLAIM_LIMIT_MS, claiming);
    } catch (error) {
      if (!(error instanceof TimeLimitError)) throw error;
      // A key that is got after all names a transaction that won't begin.
      claiming.then(async ({ isFirst, transactionId }) => {
        if (isFirst) await this.release(userId, key, transactionId);
      }).catch(() => {});
      throw new UserError("TIMEOUT", "the decision log doesn't answer");
    }
  }

  async #claim(userId: string, key: string, fingerprint: string): Promise<Claim> {
    const giveUpAt = Date.now() + WAIT_LIMIT_MS;
    for (;;) {
      const transactionId = newId();
      const row = await this.#insertOrRead(userId, key, fingerprint, transactionId);
      if (row === undefined) return { transactionId, isFirst: true };
      const outcome = row.age_ms > KEY_LIFE_MS ? "over" : await this.#outcome(row);
      if (outcome === "committed") {
        if (row.fingerprint === fingerprint) return { transactionId: row.transaction_id, isFirst: false };
        throw new UserError("CONFLICT", "this idempotencyKey was used with another input");
      }
      if (outcome === "aborted" || outcome === "over") {
        if (await this.#takeOver(userId, key, row.transaction_id, fingerprint, transactionId)) {
          return { transactionId, isFirst: true };
        }
        continue;
      }
      // Also with another input: who was just told of an abort comes before its row, and is free to send something else.
      if (Date.now() > giveUpAt) {
        throw new UserError("TIMEOUT", "the first attempt with this idempotencyKey has no outcome yet");
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** The transaction never began, and won't: the next try needn't wait for its outcome. */
  async release(userId: string, key: string, transactionId: string): Promise<void> {
    await this.sql`delete from idempotency_keys
      where user_id = ${userId} and key = ${key} and transaction_id = ${transactionId}`;
  }

  /** Forgets keys whose day is over, in a small batch; how many. */
  async prune(limit: number): Promise<number> {
    const rows = await this.sql`delete from idempotency_keys where (user_id, key) in (
      select user_id, key from idempotency_keys where created_at < now() - ${KEY_LIFE_MS} * interval '1 millisecond' limit ${limit}) returning 1`;
    return rows.length;
  }

  /** Undefined when the key was free and is this transaction's now. */
  async #insertOrRead(
    userId: string,
    key: string,
    fingerprint: string,
    transactionId: string,
  ): Promise<KeyRow | undefined> {
    const { sql } = this;
    const inserted = await sql`insert into idempotency_keys (user_id, key, fingerprint, transaction_id)
      values (${userId}, ${key}, ${fingerprint}, ${transactionId}) on conflict do nothing returning 1`;
    if (inserted.length > 0) return undefined;
    const rows = await sql<KeyRow[]>`
      select transaction_id, fingerprint, (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as age_ms
      from idempotency_keys where user_id = ${userId} and key = ${key}`;
    // Pruned in between: the next round inserts.
    return rows[0] ?? await this.#insertOrRead(userId, key, fingerprint, transactionId);
  }

  /** What has become of an earlier attempt. One that was left without a decision is aborted by asking. */
  async #outcome({ transaction_id, age_ms }: KeyRow) {
    const decided = await this.decisions.read(transaction_id);
    if (decided !== undefined || age_ms < UNDECIDED_LIMIT_MS) return decided;
    return await this.decisions.decide(transaction_id, "aborted", []);
  }

  /** The attempt before came to nothing: the key is this transaction's, unless another was faster. */
  async #takeOver(
    userId: string,
    key: string,
    before: string,
    fingerprint: string,
    transactionId: string,
  ): Promise<boolean> {
    const rows = await this.sql`update idempotency_keys
      set transaction_id = ${transactionId}, fingerprint = ${fingerprint}, created_at = clock_timestamp()
      where user_id = ${userId} and key = ${key} and transaction_id = ${before} returning 1`;
    return rows.length > 0;
  }
}
