/**
 * Sends one mail for each job. In: a mail's id, from queue.ts. It waits for a connection, claims the mail, renders and sends it within its
 * kind's limit of time, and writes what came of it. Once it returns, the job is done: the next attempt, if any, has a job of its own.
 */

import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { backoffMs, delay, MINUTE, SECOND } from "../../kit/time.ts";
import { inTrace, joinTrace, type Span } from "../../kit/tracing/mod.ts";
import type { ClaimedEmail, Emails, Outcome } from "./emails.ts";
import { gather } from "./gather.ts";
import { messageOf } from "./message.ts";
import { attempts, sendingDuration } from "./metrics.ts";
import { failedOutcome, type RetryOptions } from "./outcome.ts";
import type { Slot, Slots } from "./slots.ts";
import { renderMail } from "./templates/render.ts";
import { oneLine } from "./text.ts";
import { SendingError } from "./transport.ts";

/** How long it is tried to write what came of an attempt, in milliseconds: what isn't written is sent again. */
const WRITE_LIMIT_MS = 30 * SECOND;

export interface SenderOptions {
  readonly emails: Emails;
  readonly slots: Slots;
  readonly nodeId: string;
  /** The sender, and the domain of Message-IDs. */
  readonly from: string;
  readonly domain: string;
  /** How long an attempt may take, in milliseconds, by the mail's template. */
  readonly limitMs: (template: string) => number;
  readonly retry: RetryOptions;
  readonly log: Logger;
}

export class Sender {
  sent = 0;
  failed = 0;
  #trouble: string | undefined;
  #warnedAt = -Infinity;
  readonly #cut = new AbortController();
  readonly #claim: (id: string) => Promise<ClaimedEmail | null>;
  readonly #end: (outcome: Outcome) => Promise<void>;
  readonly #giveBack: (id: string) => Promise<void>;

  constructor(private readonly options: SenderOptions) {
    const { emails, nodeId } = options;
    this.#claim = gather(async (ids) => {
      const claimed = await emails.claim(ids, nodeId);
      if (claimed === undefined) throw new Error("this node has no lease any more");
      return ids.map((id) => claimed.get(id) ?? null);
    });
    this.#end = gather(async (outcomes) => {
      await this.#untilWritten(() => emails.end(outcomes));
      return outcomes.map(() => undefined);
    });
    this.#giveBack = gather(async (ids) => {
      await emails.giveBack(ids);
      return ids.map(() => undefined);
    });
  }

  /** Stops what is being sent; it is tried again, elsewhere. */
  cut(): void {
    this.#cut.abort(new Error("the mail node was stopped"));
  }

  async run(id: string): Promise<void> {
    const slot = await this.options.slots.take();
    if (slot === undefined) return await this.#giveBack(id);
    try {
      const email = await this.#claim(id);
      // Sent or given up meanwhile.
      if (email === null) return;
      const outcome = await inTrace(
        joinTrace("send mail", "consumer", email.traceparent),
        (span) => this.#attempt(email, slot, span),
      );
      await this.#end(outcome);
      this.#count(outcome);
    } finally {
      this.options.slots.give(slot);
    }
  }

  async #attempt(email: ClaimedEmail, { transport }: Slot, span: Span | undefined): Promise<Outcome> {
    const { from, domain, limitMs, retry, log } = this.options;
    const { id, template, attempts: attempt } = email;
    span?.set("notifyx.mail.template", template);
    span?.set("notifyx.mail.attempt", attempt);
    span?.set("notifyx.mail.waited_ms", Math.round(email.ageMs));
    const stop = sendingDuration.startTimer();
    const limit = new AbortController();
    const seconds = limitMs(template) / SECOND;
    const timer = setTimeout(
      () => limit.abort(new Error(`the attempt took longer than ${seconds} s`)),
      limitMs(template),
    );
    try {
      const mail = renderMail(template, email.data);
      await transport.send(messageOf(email, mail, from, domain), AbortSignal.any([limit.signal, this.#cut.signal]));
      this.#stuck(undefined);
      return { id, attempt, status: "SENT", subject: mail.subject };
    } catch (error) {
      if (!(error instanceof SendingError)) {
        log.error("mail {id} can't be rendered: {error}", { id, error });
        return { id, attempt, status: "FAILED", error: "the mail could not be rendered" };
      }
      log.debug("mail {id} was not sent: {error}", { id, error: error.message });
      if (error.trouble !== undefined) this.#stuck(oneLine(error.trouble));
      const outcome = failedOutcome(email, error, retry);
      span?.set("notifyx.mail.outcome", outcome.status);
      return this.#cut.signal.aborted && outcome.status === "QUEUED" ? { ...outcome, retryMs: 0 } : outcome;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  /** Says once what keeps mails from going out, and once that it is over. */
  #stuck(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    // A server that takes some connections of many would fill the log.
    if (trouble !== undefined && performance.now() - this.#warnedAt < MINUTE) return;
    this.#trouble = trouble;
    if (trouble === undefined) return this.options.log.info("mails go out again");
    this.#warnedAt = performance.now();
    this.options.log.warning("mails don't go out: {error}", { error: trouble });
  }

  async #untilWritten(write: () => Promise<void>): Promise<void> {
    const giveUpAt = performance.now() + WRITE_LIMIT_MS;
    for (let attempt = 0;; attempt++) {
      try {
        return await write();
      } catch (error) {
        if (performance.now() > giveUpAt) throw error;
        countDatabaseError(error);
        this.options.log.warning("what came of mails is not written yet: {error}", { error: reason(error) });
        await delay(backoffMs(attempt, 100, 2 * SECOND));
      }
    }
  }

  #count({ status }: Outcome): void {
    if (status === "SENT") this.sent++;
    else if (status === "FAILED") this.failed++;
    attempts.inc({ result: status === "SENT" ? "sent" : status === "FAILED" ? "failed" : "again" });
  }
}
