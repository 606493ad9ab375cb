/**
 * The table `emails`, in the order in which a mail passes: accepted with its job in one statement, claimed for an attempt, ended or put
 * back by what came of it. Many mails are one statement each time.
 *
 * `attempts` is the fence: what an attempt says counts only while it is the present one, so that a node that was frozen and has been taken
 * for dead says nothing about a later one. That a mail was sent is true whoever says it.
 */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { parseTraceparent } from "../../kit/tracing/mod.ts";
import type { NewMail } from "./mails.ts";

export const TASK = "send";
/** NOTIFY's channel: ids of mails of users whose status has changed, separated by commas. */
export const CHANGED = "emails_changed";

export type EmailStatus = "QUEUED" | "SENDING" | "SENT" | "FAILED";

export interface Email {
  readonly id: string;
  readonly userId: string;
  readonly to: string;
  readonly subject: string;
  readonly status: EmailStatus;
  readonly attempts: number;
  readonly error: string | null;
  readonly createdAt: Date;
}

/** A mail for an attempt. */
export interface ClaimedEmail {
  readonly id: string;
  readonly to: string;
  readonly template: string;
  readonly data: Record<string, unknown>;
  readonly unsubscribeUrl: string | null;
  /** The number of this attempt, from 1 on. */
  readonly attempts: number;
  /** How long it has been waiting for its end, in milliseconds. */
  readonly ageMs: number;
  readonly traceparent: string | null;
}

/** What came of an attempt. */
export interface Outcome {
  readonly id: string;
  readonly attempt: number;
  readonly status: "SENT" | "FAILED" | "QUEUED";
  readonly subject?: string;
  /** Why it was not sent. */
  readonly error?: string;
  /** With QUEUED: when the next attempt may begin, in milliseconds from now. */
  readonly retryMs?: number;
}

const NIL = "00000000-0000-0000-0000-000000000000";
/** So many waiting mails of a sender are told apart in the order of the queue. */
const MOST_PRIORITY = 1_000;
/** Somebody waits for these at this moment, or should know at once. */
const URGENT = ["confirm", "reset", "replaced"];
/** A job is never given up by the queue: emails says when it is over. */
const MOST_ATTEMPTS = 32_000;

export class Emails {
  constructor(readonly sql: Sql) {}

  /**
   * Makes mails durable, with their jobs; those whose ids are known are left as they are. The more a sender has waiting, the later come
   * their next ones, so that nobody waits for another's thousand.
   */
  async accept(mails: readonly NewMail[], sql: Sql = this.sql): Promise<void> {
    const rows = mails.map(({ id, to, userId, template, data, unsubscribeUrl, traceparent }, nth) => ({
      id,
      nth,
      to_address: to,
      user_id: userId ?? NIL,
      template,
      data,
      unsubscribe_url: unsubscribeUrl ?? null,
      urgent: URGENT.includes(template),
      subject: template === "plain" ? data.subject : "",
      traceparent: parseTraceparent(traceparent)?.sampled ? traceparent : null,
    }));
    await sql`
      with given as (
        select g.*, row_number() over (partition by g.user_id, g.urgent order by g.nth) - 1 as before
        from jsonb_to_recordset(${sql.json(rows as never)}::jsonb) as g(
          id uuid, nth integer, to_address text, user_id uuid, template text, data jsonb, unsubscribe_url text, urgent boolean, subject text,
          traceparent text)
      ), waiting as materialized (
        select s.user_id, (select count(*) from (
          select from emails e where e.user_id = s.user_id and e.status in ('QUEUED', 'SENDING') limit ${MOST_PRIORITY}) w) as mails
        from (select distinct user_id from given) s
      ), accepted as (
        insert into emails (id, user_id, to_address, template, data, unsubscribe_url, subject, priority, traceparent)
        select id, user_id, to_address, template, data, unsubscribe_url, subject,
          case when urgent then -1 else least(mails + before, ${MOST_PRIORITY}) end, traceparent
        from given join waiting using (user_id) order by id
        on conflict (id) do nothing
        returning id, priority
      )
      select count(*) from graphile_worker.add_jobs(array(
        select ${this.#job(sql)} from accepted order by priority))`;
  }

  /** @throws UserError `RATE_LIMITED` where this user has sent `perHour` mails within the hour */
  async acceptOf(userId: string, mail: NewMail, perHour: number): Promise<void> {
    if (perHour === Infinity) return await this.accept([{ ...mail, userId }]);
    await this.sql.begin(async (transaction) => {
      const inside = transaction as unknown as Sql;
      // The row is locked until the mail is accepted or not, so that two at once are counted as two.
      const counted = await inside`
        insert into mail_rates as r (user_id, began_at, mails) select ${userId}, now(), 1 where ${perHour} > 0
        on conflict (user_id) do update set
          mails = case when r.began_at < now() - interval '1 hour' then 1 else r.mails + 1 end,
          began_at = case when r.began_at < now() - interval '1 hour' then now() else r.began_at end
        where r.began_at < now() - interval '1 hour' or r.mails < ${perHour}`;
      if (counted.count === 0) throw await overRate(inside, userId);
      await this.accept([{ ...mail, userId }], inside);
    });
  }

  /**
   * Begins an attempt for each of `ids` that is still to be sent; those that are not are missing in the answer.
   * @returns undefined where `nodeId` has no lease any more: it must not send
   */
  async claim(ids: readonly string[], nodeId: string): Promise<Map<string, ClaimedEmail> | undefined> {
    const rows = await this.sql<(ClaimedEmail & { leased: boolean })[]>`
      with lease as (select id from mail_nodes where id = ${nodeId}),
      claimed as (
        update emails e set status = 'SENDING', attempts = e.attempts + 1, node_id = lease.id, claimed_at = now()
        from lease where e.id = any(${ids as string[]}::uuid[]) and e.status in ('QUEUED', 'SENDING')
        returning e.*
      ), ${this.#told("claimed")}
      select c.id, c.to_address as "to", c.template, c.data, c.unsubscribe_url as "unsubscribeUrl", c.attempts,
        c.traceparent,
        extract(epoch from now() - c.queued_at)::float8 * 1000 as "ageMs", l.id is not null as leased
      from (select count(*) from told) once left join lease l on true left join claimed c on true`;
    if (!rows[0]!.leased) return undefined;
    return new Map(rows.filter(({ id }) => id !== null).map((row) => [row.id, row]));
  }

  /** Writes what came of attempts; those that are to be tried again get their next job in the same statement. */
  async end(outcomes: readonly Outcome[]): Promise<void> {
    const again = outcomes.some(({ status }) => status === "QUEUED");
    await this.sql`
      with outcome as (
        select * from jsonb_to_recordset(${this.sql.json(outcomes as never)}::jsonb) as o(
          id uuid, attempt integer, status text, subject text, error text, "retryMs" float8)
      ), ended as (
        update emails e set
          status = o.status,
          subject = coalesce(o.subject, e.subject),
          error = o.error,
          ended_at = case when o.status <> 'QUEUED' then now() end,
          -- A link that lets its reader in is kept no longer than it is needed.
          data = case when o.status = 'SENT' and e.template = any(${URGENT}) then '{}' else e.data end
        from outcome o
        -- The ids once more, as an array: of what is in JSON nothing is estimated, and a small table would be read as a whole.
        where e.id = any(${outcomes.map(({ id }) => id)}::uuid[]) and e.id = o.id and
          case when o.status = 'SENT' then e.status <> 'SENT' else e.attempts = o.attempt and e.status = 'SENDING' end
        returning e.id, e.user_id, e.priority, e.status, o."retryMs"
      ), ${this.#told("ended")}
      select (select count(*) from told) ${
      again
        ? this.sql`, (select count(*) from graphile_worker.add_jobs(array(
            select ${this.#job(this.sql, this.sql`now() + "retryMs" * interval '1 millisecond'`)}
            from ended where status = 'QUEUED')))`
        : this.sql``
    }`;
  }

  /** Gives jobs that this node has taken but not begun back to the queue: each gets a new one, which another node may take at once. */
  async giveBack(ids: readonly string[]): Promise<void> {
    await this.sql`
      select count(*) from graphile_worker.add_jobs(array(
        select ${this.#job(this.sql)} from emails
        where id = any(${ids as string[]}::uuid[]) and status in ('QUEUED', 'SENDING') order by priority))`;
  }

  /** Gives a mail that has failed another chance; false where there is none such. */
  async retry(id: string): Promise<boolean> {
    const [row] = await this.sql<{ retried: number }[]>`
      with ended as (
        update emails set status = 'QUEUED', queued_at = now(), ended_at = null where id = ${id} and status = 'FAILED'
        returning id, user_id, priority
      ), ${this.#told("ended")}, job as (
        select count(*) from graphile_worker.add_jobs(array(select ${this.#job(this.sql)} from ended)))
      select (select count(*) from ended)::int as retried, (select count from job), (select count(*) from told)`;
    return row!.retried === 1;
  }

  /** A mail of `userId`'s own. */
  async find(id: string, userId: string): Promise<Email | undefined> {
    return (await this.findAll([id], userId))[0];
  }

  /** Those of `ids` that there are; all users' where no user is named. */
  async findAll(ids: readonly string[], userId?: string): Promise<Email[]> {
    return await this.sql<Email[]>`
      select id, user_id as "userId", to_address as "to", subject, status, attempts, error, created_at as "createdAt"
      from emails where id = any(${ids as string[]}::uuid[]) and ${
      userId === undefined ? this.sql`true` : this.sql`user_id = ${userId}`
    }`;
  }

  /** A job of graphile_worker for a row with `id` and `priority`. */
  #job(sql: Sql, runAt = sql`null`) {
    return sql`row(${TASK}::text, json_build_object('id', id), null, ${runAt}, ${MOST_ATTEMPTS}::int, id::text, priority, null
      )::graphile_worker.job_spec`;
  }

  /** The CTE that tells every node of those in `changed` that a user may be watching. */
  #told(changed: "claimed" | "ended") {
    const { sql } = this;
    return sql`told as (
      select pg_notify(${CHANGED}, string_agg(id::text, ',')) from ${
      sql(changed)
    } where user_id <> ${NIL}::uuid having count(*) > 0)`;
  }
}

async function overRate(sql: Sql, userId: string): Promise<UserError> {
  const [row] = await sql<{ seconds: number }[]>`
    select ceil(extract(epoch from began_at + interval '1 hour' - now()))::int as seconds from mail_rates where user_id = ${userId}`;
  const retryAfterSeconds = Math.max(1, row?.seconds ?? 3_600);
  return new UserError("RATE_LIMITED", `too many mails in an hour: try again in ${retryAfterSeconds} s`, {
    retryAfterSeconds,
  });
}
