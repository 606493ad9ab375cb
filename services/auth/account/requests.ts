/**
 * Who asks for a mail with a link. In: an address, whether someone has it or not. Out: a link and its mail in the outbox, for whoever has
 * it. The asker waits for one statement, which is the same in either case; what follows is done by a worker, in one transaction.
 */

import type { Sql } from "../../../kit/database.ts";
import { countDatabaseError } from "../../../kit/database_metrics.ts";
import { reason } from "../../../kit/directory.ts";
import { UserError } from "../../../kit/errors.ts";
import type { Logger } from "../../../kit/log.ts";
import { queueMail } from "../../../kit/mail_outbox.ts";
import { backoffMs, delay, SECOND } from "../../../kit/time.ts";
import type { User } from "../store.ts";
import { type LinkKind, makeLink, removeOldLinks } from "./links.ts";
import { linkMail } from "./mails.ts";

/** How many requests one transaction answers. */
const BATCH = 100;
/** Between two looks for what another node has left behind, in milliseconds. */
const POLL_MS = 5 * SECOND;
const BACKOFF_MS = { first: SECOND / 5, most: 5 * SECOND };

export interface RequestsOptions {
  /** Auth's database, with the mails' outbox. */
  readonly sql: Sql;
  readonly publicUrl: string;
  /** How many mails of a kind one address may ask for in an hour; Infinity is no limit. */
  readonly perHour: number;
  readonly log: Logger;
}

interface Request {
  readonly kind: LinkKind;
  readonly emailKey: string;
}

export class AccountRequests {
  readonly #abort = new AbortController();
  /** Aborts when something is asked for here. */
  #news = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly options: RequestsOptions) {}

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#news.abort();
    await this.#running;
  }

  /** @throws UserError `RATE_LIMITED`, also for an address that is nobody's */
  async ask(kind: LinkKind, emailKey: string): Promise<void> {
    const { sql, perHour } = this.options;
    const most = perHour === Infinity ? null : perHour;
    const asked = await sql`
      with counted as (
        insert into account_rates as r (email_key, kind, began_at, requests) values (${emailKey}, ${kind}, now(), 1)
        on conflict (email_key, kind) do update set
          requests = case when r.began_at < now() - interval '1 hour' then 1 else r.requests + 1 end,
          began_at = case when r.began_at < now() - interval '1 hour' then now() else r.began_at end
        where r.began_at < now() - interval '1 hour' or r.requests < coalesce(${most}::int, r.requests + 1)
        returning 1
      )
      insert into account_requests (email_key, kind) select ${emailKey}, ${kind} from counted`;
    if (asked.count === 0) throw await this.#tooMany(kind, emailKey);
    this.#news.abort();
  }

  async #tooMany(kind: LinkKind, emailKey: string): Promise<UserError> {
    const [row] = await this.options.sql<{ seconds: number }[]>`
      select ceil(extract(epoch from began_at + interval '1 hour' - now()))::int as seconds from account_rates
      where email_key = ${emailKey} and kind = ${kind}`;
    const retryAfterSeconds = Math.max(1, row?.seconds ?? 1);
    const why = "too many mails were asked for: take the link in the newest one, or try again";
    return new UserError("RATE_LIMITED", `${why} in ${retryAfterSeconds} s`, { retryAfterSeconds });
  }

  /** Has a link sent at once, with what the caller's transaction does: none if that fails. */
  async sendLink(sql: Sql, kind: LinkKind, { id, email }: Pick<User, "id" | "email">): Promise<void> {
    await queueMail(sql, linkMail(email, kind, await makeLink(sql, kind, id), this.options.publicUrl));
  }

  /** Answers a batch of requests, the oldest first; how many there were. */
  async answer(): Promise<number> {
    return await this.options.sql.begin(async (transaction) => {
      const inside = transaction as unknown as Sql;
      const requests = await inside<Request[]>`
        delete from account_requests where id in (
          select id from account_requests order by id limit ${BATCH} for update skip locked)
        returning kind, email_key as "emailKey"`;
      if (requests.length === 0) return 0;
      // In the order of users, so that two nodes wait for each other in one direction only; each kind once.
      const wanted = await inside<{ id: string; email: string; kind: LinkKind }[]>`
        select distinct u.id, u.email, r.kind from users u join unnest(${
        requests.map(({ emailKey }) => emailKey)
      }::text[], ${requests.map(({ kind }) => kind)}::text[]) as r (email_key, kind) using (email_key)
        where r.kind = 'reset' or u.confirmed_at is null order by u.id, r.kind`;
      for (const { kind, ...user } of wanted) await this.sendLink(inside, kind, user);
      return requests.length;
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted;) {
      const news = this.#news = new AbortController();
      try {
        while (await this.answer() === BATCH && !signal.aborted);
        await this.#forget();
        failures = 0;
        if (!signal.aborted) await delay(POLL_MS / 2 + Math.random() * POLL_MS / 2, news.signal);
      } catch (error) {
        if (signal.aborted) return;
        countDatabaseError(error);
        if (failures === 0) this.options.log.warning("mails with links wait: {error}", { error: reason(error) });
        await delay(backoffMs(failures++, BACKOFF_MS.first, BACKOFF_MS.most), signal);
      }
    }
  }

  /** What is too old to matter. */
  async #forget(): Promise<void> {
    await this.options.sql`delete from account_rates where began_at < now() - interval '1 hour'`;
    await removeOldLinks(this.options.sql);
  }
}
