/**
 * Mails on their way from a service to the mail service. In: queueMail within the transaction that causes the mail, so that there is one
 * exactly where that committed. Out: `POST /api/mails` at any live instance of `mail`, until it has said that they are durable there.
 *
 * Each node of a service hands over batches of its own, oldest first. One that dies between an acceptance and its own deletion hands the
 * same over again: the mail service ignores an id that it knows. A batch that is refused is tried again by halves, so that one wrong mail
 * keeps back none of the others; by itself it is rejected, and stays here with the reason.
 */

import type { Sql } from "./database.ts";
import { call, type CallAnswer } from "./call.ts";
import { countDatabaseError } from "./database_metrics.ts";
import { type Directory, reason } from "./directory.ts";
import type { Logger } from "./log.ts";
import { acceptedMails, measureOutbox, type OutboxFigures, rejectedMails } from "./mail_outbox_metrics.ts";
import type { Migration } from "./migrations.ts";
import type { StatusSection } from "./status_page.ts";
import { backoffMs, delay, SECOND } from "./time.ts";

export interface Mail {
  /** A UUID: of several mails with the same one, the first counts. */
  readonly id: string;
  readonly to: string;
  readonly userId?: string;
  readonly template: string;
  /** What its template takes, as JSON. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Where one POST ends mails of this kind (RFC 8058). */
  readonly unsubscribeUrl?: string;
  /** Of what causes it, where that is traced. */
  readonly traceparent?: string;
}

/** For the list of a service's own migrations. A mail may hold a secret link: it stays no longer than until it is handed over. */
export const MAIL_OUTBOX_MIGRATION: Migration = {
  name: "000000_mail_outbox",
  sql: `create table mail_outbox (
    id uuid primary key,
    mail jsonb not null,
    queued_at timestamptz not null default now(),
    -- Later than queued_at where the mail service failed on this one.
    due_at timestamptz not null default now(),
    -- What the mail service says is wrong with it.
    rejected_because text
  );
  create index mail_outbox_due on mail_outbox (due_at, id) where rejected_because is null;
  create index mail_outbox_rejected on mail_outbox (queued_at) where rejected_because is not null;

  create function note_queued_mails() returns trigger language plpgsql as $$
  begin
    perform pg_notify('mail_outbox', '');
    return null;
  end $$;
  create trigger note_queued_mails after insert on mail_outbox for each statement execute function note_queued_mails();`,
};

/** How many mails one call hands over. */
const BATCH = 100;
/** How long one instance may take to accept them, and how many are tried: a transaction of this service stays open meanwhile. */
const CALL_LIMIT_MS = 4 * SECOND;
const MOST_INSTANCES = 3;
/** Between two looks for what nobody woke this node for, in milliseconds. */
const POLL_MS = 5 * SECOND;
const BACKOFF_MS = { first: SECOND / 5, most: 5 * SECOND };
/** How long a mail waits on which the mail service fails, so that it stands in nobody's way. */
const ASIDE = "1 minute";
/** How long a rejected mail is kept for people to look at. */
const REJECTED_KEPT = "7 days";

/** Queues mails in the caller's transaction; their hand-over begins with its commit. */
export async function queueMail(sql: Sql, ...mails: readonly Mail[]): Promise<void> {
  await sql`insert into mail_outbox (id, mail)
    select (mail ->> 'id')::uuid, mail from jsonb_array_elements(${sql.json(mails as never)}) as mail
    on conflict (id) do nothing`;
}

export interface MailOutboxOptions {
  /** The service's database, with {@link MAIL_OUTBOX_MIGRATION}. */
  readonly sql: Sql;
  readonly directory: Pick<Directory, "instances">;
  readonly secret: string;
  readonly log: Logger;
  readonly stopping: AbortSignal;
}

type Outcome = "none" | "some" | "away";

export class MailOutbox {
  readonly #abort = new AbortController();
  /** Aborts when something is queued. */
  #news = new AbortController();
  /** How many the next call hands over: fewer, while one among them is refused. */
  #size = BATCH;
  #isAway = false;
  #running: Promise<void> | undefined;
  #stopListening: (() => Promise<void>) | undefined;

  constructor(private readonly options: MailOutboxOptions) {
    options.stopping.addEventListener("abort", () => this.#end(), { once: true });
    measureOutbox(() => this.figures());
  }

  async start(): Promise<void> {
    const listening = await this.options.sql.listen("mail_outbox", () => this.#news.abort());
    this.#stopListening = listening.unlisten;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#running;
    await this.#stopListening?.();
  }

  #end(): void {
    this.#abort.abort();
    this.#news.abort();
  }

  async figures(): Promise<OutboxFigures> {
    const [row] = await this.options.sql<OutboxFigures[]>`select
      (select count(*) from mail_outbox where rejected_because is null) as waiting,
      (select count(*) from mail_outbox where rejected_because is not null) as rejected,
      coalesce((select extract(epoch from clock_timestamp() - min(queued_at)) from mail_outbox
        where rejected_because is null), 0)::float8 as "oldestSeconds"`;
    return row!;
  }

  /** For the status page. */
  async section(): Promise<StatusSection> {
    const { waiting, oldestSeconds, rejected } = await this.figures();
    return {
      title: "Mails for the mail service",
      columns: ["waiting", "oldest, in seconds", "rejected"],
      rows: [[waiting, Math.round(oldestSeconds), rejected]],
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted;) {
      const news = this.#news = new AbortController();
      switch (await this.#next()) {
        case "some":
          failures = 0;
          break;
        case "none":
          failures = 0;
          await delay(POLL_MS / 2 + Math.random() * POLL_MS / 2, news.signal);
          break;
        case "away":
          await delay(backoffMs(failures++, BACKOFF_MS.first, BACKOFF_MS.most), signal);
      }
    }
  }

  async #next(): Promise<Outcome> {
    const { log } = this.options;
    try {
      const outcome = await this.#handOver();
      if (this.#isAway && outcome === "some") log.info("mails are handed over again");
      if (outcome === "some") this.#isAway = false;
      return outcome;
    } catch (error) {
      countDatabaseError(error);
      if (!this.#isAway && !this.#abort.signal.aborted) log.warning("mails wait: {error}", { error: reason(error) });
      this.#isAway = true;
      return "away";
    }
  }

  /** One batch, in one transaction. @throws Error where no instance takes it, or what the database says */
  async #handOver(): Promise<Outcome> {
    return await this.options.sql.begin(async (transaction): Promise<Outcome> => {
      const rows = await transaction<{ id: string; mail: Mail }[]>`
        select id, mail from mail_outbox where rejected_because is null and due_at <= now()
        order by due_at, id limit ${this.#size} for update skip locked`;
      if (rows.length === 0) {
        await transaction`delete from mail_outbox
          where rejected_because is not null and queued_at < now() - ${REJECTED_KEPT}::interval`;
        return "none";
      }
      const answer = await this.#post(rows.map(({ mail }) => mail));
      if (answer.status === 200) {
        await transaction`delete from mail_outbox where id = any(${rows.map(({ id }) => id)})`;
        acceptedMails.inc(rows.length);
        this.#size = Math.min(BATCH, 2 * this.#size);
        return "some";
      }
      const isRefused = answer.status < 500;
      if (rows.length > 1) this.#size = Math.ceil(rows.length / 2);
      else if (isRefused) await this.#reject(transaction as unknown as Sql, rows[0]!.mail, answer);
      else await transaction`update mail_outbox set due_at = now() + ${ASIDE}::interval where id = ${rows[0]!.id}`;
      return isRefused ? "some" : "away";
    }) as Outcome;
  }

  async #reject(sql: Sql, { id, template }: Mail, { body }: CallAnswer): Promise<void> {
    const because = String((body as { error?: unknown } | null)?.error ?? "the mail service doesn't say why").slice(
      0,
      1_000,
    );
    await sql`update mail_outbox set rejected_because = ${because.replaceAll("\0", "")} where id = ${id}`;
    rejectedMails.inc();
    // Why may name the address: that is for the table alone.
    this.options.log.warning("the mail service rejects a mail; mail_outbox has the reason", { id, template });
  }

  /** The answer of the first instance that takes or refuses `mails`; of one that failed on them where none does. */
  async #post(mails: readonly Mail[]): Promise<CallAnswer> {
    const { directory, secret } = this.options;
    const all = directory.instances("mail");
    const first = Math.floor(Math.random() * all.length);
    let failed: CallAnswer | undefined;
    let last: unknown = new Error("the mail service is away");
    for (const { url } of [...all.slice(first), ...all.slice(0, first)].slice(0, MOST_INSTANCES)) {
      try {
        const answer = await call(`${url}/api/mails`, {
          body: { mails },
          secret,
          limitMs: CALL_LIMIT_MS,
          signal: this.#abort.signal,
        });
        // 413 is a batch that is too large; 500 may be a mail on which it fails, all else is its present state.
        if ([200, 400, 413].includes(answer.status)) return answer;
        if (answer.status === 500) failed = answer;
        last = new Error(`the mail service answers ${answer.status}`);
      } catch (error) {
        last = error;
      }
      if (this.#abort.signal.aborted) break;
    }
    if (failed !== undefined) return failed;
    throw last;
  }
}
