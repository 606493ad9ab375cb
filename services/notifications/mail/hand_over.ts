/**
 * Turns what is due into mails. In: rows that the follower made (follower.ts), when their time has come. Out: mails in the outbox
 * (kit/mail_outbox.ts), in the transaction that removes the rows: of each row there is one mail or, where nobody wants it any more, none.
 *
 * Auth is asked for addresses before that transaction; while it is away what is due waits. A node holds a lease while it works, so that
 * others don't do the same in vain; what one does that is frozen meanwhile is undone, or finds its rows gone.
 */

import type { Address, Addresses } from "../../../kit/addresses.ts";
import type { Sql } from "../../../kit/database.ts";
import { countDatabaseError } from "../../../kit/database_metrics.ts";
import { reason } from "../../../kit/directory.ts";
import type { Logger } from "../../../kit/log.ts";
import { type Mail, queueMail } from "../../../kit/mail_outbox.ts";
import { backoffMs, delay, SECOND } from "../../../kit/time.ts";
import { handOverDigests } from "./digests.ts";
import { mailId } from "./mail_ids.ts";
import { mailsDropped, mailsHandedOver } from "./metrics.ts";
import { type TakeTrace, tracesOf } from "./traced_mails.ts";

/** Between two looks for what is due, in milliseconds. */
const PAUSE_MS = SECOND;
const BACKOFF_MS = { first: SECOND, most: 15 * SECOND };
/** How long a node may be silent until another takes over: longer than a batch takes. */
const LEASE = "15 seconds";
/** How many rows one transaction turns into mails; they are in memory meanwhile, each with a message of up to 40 KB. */
const BATCH = 200;

export interface HandOverOptions {
  readonly sql: Sql;
  readonly addresses: Pick<Addresses, "of">;
  /** Where people reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
  readonly log: Logger;
}

/** A row that is due by itself: of due_mail(). */
interface DueRow {
  readonly user_id: string;
  readonly position: number;
  /** The notification's; null, as all that follows, where there is none any more. */
  readonly id: string;
  readonly topic: string;
  readonly from_user_id: string;
  readonly message: string;
  readonly at: Date;
  readonly token: string;
  /** Why it is not to be sent. */
  readonly void: string | null;
}

export class HandOver {
  readonly #holder = crypto.randomUUID();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly options: HandOverOptions) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** Another node may go on at once. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.options.sql`update mail_lease set expires_at = now() where holder = ${this.#holder}`;
  }

  /** Hands over all that is due; false where there is nothing, or another node is at it. @throws UserError while auth is away */
  async handOver(): Promise<boolean> {
    let any = false;
    while (!this.#abort.signal.aborted && await this.#holds()) {
      const more = [await this.#mails(), await handOverDigests(this.options)];
      if (!more.includes(true)) break;
      any = true;
    }
    return any;
  }

  /** Whether this node may work: where something is due, and nobody else is at it. */
  async #holds(): Promise<boolean> {
    const rows = await this.options
      .sql`update mail_lease set holder = ${this.#holder}, expires_at = now() + ${LEASE}::interval
      where (holder = ${this.#holder} or expires_at < now()) and (
        exists (select from mail_due where due_at <= now()) or exists (select from digest_due where due_at <= now())
      ) returning 1`;
    return rows.length > 0;
  }

  /** One batch of those that are mails by themselves; whether there were any. */
  async #mails(): Promise<boolean> {
    const { sql, addresses } = this.options;
    const rows = await sql<DueRow[]>`select * from due_mail(${BATCH})`;
    if (rows.length === 0) return false;
    const wanted = rows.filter((row) => row.void === null);
    const known = await addresses.of(wanted.flatMap((row) => [row.user_id, row.from_user_id]));
    const takeTrace = await tracesOf(sql, wanted.map(({ id }) => id));
    const { taken, mails } = await sql.begin(async (transaction) => {
      // Whoever chose NEVER meanwhile has removed theirs, and what another node handed over is gone.
      const removed = await transaction<Pick<DueRow, "user_id" | "position">[]>`
        delete from mail_due d using unnest(${rows.map((row) => row.user_id)}::uuid[], ${
        rows.map((row) => row.position)
      }::bigint[]) as given (user_id, position) where d.user_id = given.user_id and d.position = given.position
        returning d.user_id, d.position`;
      const gone = new Set(removed.map(keyOf));
      const taken = rows.filter((row) => gone.has(keyOf(row)));
      const mails = taken.flatMap((row) => this.#mailOf(row, known, takeTrace));
      if (mails.length > 0) await queueMail(transaction as unknown as Sql, ...mails);
      return { taken, mails };
    });
    mailsHandedOver.inc({ kind: "notification" }, mails.length);
    for (const row of taken) {
      const reason = row.void ?? (known.get(row.user_id)?.confirmed ? null : "no_address");
      if (reason !== null) mailsDropped.inc({ reason });
    }
    return taken.length > 0;
  }

  /** None where it is not to be sent, or there is nowhere to send it. */
  #mailOf(row: DueRow, known: ReadonlyMap<string, Address>, takeTrace: TakeTrace): Mail[] {
    const to = known.get(row.user_id);
    if (row.void !== null || !to?.confirmed) return [];
    const unsubscribeUrl = `${this.options.publicUrl}/unsubscribe/${row.token}`;
    return [{
      id: mailId("notification", row.id, row.user_id),
      to: to.email,
      // By whom it is sent, so that the mail service is fair among senders.
      userId: row.from_user_id,
      template: "notification",
      data: {
        topic: row.topic,
        from: known.get(row.from_user_id)?.email ?? "",
        message: row.message,
        at: row.at.toISOString(),
        unsubscribeUrl,
      },
      unsubscribeUrl,
      traceparent: takeTrace(row.id),
    }];
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.handOver();
        failures = 0;
        await delay(PAUSE_MS / 2 + Math.random() * PAUSE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        countDatabaseError(error);
        if (failures === 0) this.options.log.warning("mails that are due wait: {error}", { error: reason(error) });
        await delay(backoffMs(failures++, BACKOFF_MS.first, BACKOFF_MS.most), signal);
      }
    }
  }
}

function keyOf({ user_id, position }: Pick<DueRow, "user_id" | "position">): string {
  return `${user_id} ${position}`;
}
