/**
 * The coordinator of the two-phase commit (presumed abort). In: sendNotification from the graph. Out: one outcome everywhere.
 *
 *   waiting     for a place: the number of prepared transactions that PostgreSQL holds is bounded
 *   preparing   on all required participants at once, until all have voted yes or the first hasn't
 *   deciding    one durable row; until the log has answered, nobody is told anything
 *   committing  on all participants, again and again until each has confirmed; the caller is answered after the first round
 *   aborting    the same with rollback, for a while; participants that don't hear of it inquire by themselves
 *
 * Next: `kit/participant/routes.ts`, then `decision_log.ts`.
 */

import { crashPoint } from "../../kit/crash_points.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import type { Logger } from "../../kit/log.ts";
import { reason } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { backoffMs, delay, MINUTE, SECOND, TimeLimitError, withTimeLimit } from "../../kit/time.ts";
import { type Span, within } from "../../kit/tracing/mod.ts";
import type { Decision, DecisionLog } from "./decision_log.ts";
import { Journal } from "./journal.ts";
import { running, startPhase, transactions } from "./metrics.ts";
import type { Participants } from "./participants.ts";
import { PhaseTwo } from "./phase_two.ts";
import { Places } from "./places.ts";

/** All votes have to be there within this time, in milliseconds, so that the decision falls within 3 s. */
const VOTE_LIMIT_MS = 2_400;
/** How long a sender waits for a place, in milliseconds. */
const PLACE_LIMIT_MS = 2_000;
/** How many transactions wait for a place. */
const WAITING = 1_000;
/** When a participant that has heard nothing inquires, in milliseconds after it prepared. */
const DEADLINE_MS = 10 * SECOND;
/** How long the caller waits for a decision log that doesn't answer, in milliseconds. It goes on behind the caller's back. */
const DECISION_LIMIT_MS = 3 * SECOND;
/** How long the answer waits for the first round of commits, in milliseconds. */
const FIRST_ROUND_LIMIT_MS = 2_500;
/** How long rollback is repeated, in milliseconds; participants inquire after their deadline. */
const ROLLBACK_LIMIT_MS = MINUTE;

export interface Outcome {
  readonly transactionId: string;
  /** What participants added to their commit, by service; missing where the first try did not succeed. */
  readonly results: ReadonlyMap<string, Record<string, unknown>>;
}

export class Coordinator {
  /** Transactions whose decision is being made here: an inquiry is answered `pending`. */
  readonly #undecided = new Set<string>();
  readonly places: Places;
  readonly #abort = new AbortController();
  readonly #background = new Set<Promise<unknown>>();
  readonly phaseTwo: PhaseTwo;
  /** What this gateway has done lately, for its console. */
  readonly journal = new Journal();

  constructor(
    private readonly participants: Participants,
    private readonly decisions: DecisionLog,
    /** Which services an operation can't do without. */
    private readonly required: (operation: string) => readonly string[],
    /** How many transactions this gateway may have under way at once. */
    atOnce: () => number,
    private readonly log: Logger,
  ) {
    this.places = new Places(atOnce, WAITING);
    this.phaseTwo = new PhaseTwo(participants, decisions, log, this.#abort.signal);
  }

  isDeciding(transactionId: string): boolean {
    return this.#undecided.has(transactionId);
  }

  /**
   * Does `operation` on all of its participants, or on none.
   * @throws UserError what a participant's vote of no says; `TRANSACTION_ABORTED` when one could not be asked: then it did not happen;
   * `TOO_MANY_REQUESTS` before anything began; `TIMEOUT` when the outcome isn't known yet
   */
  async run(operation: string, transactionId: string, input: Record<string, unknown>, span?: Span): Promise<Outcome> {
    const endWait = startPhase("wait", span);
    await within(span, "wait", "internal", () => this.places.take(PLACE_LIMIT_MS));
    endWait();
    running.inc();
    this.journal.begins(transactionId, operation);
    const ending = this.#run(operation, transactionId, input, span).finally(() => {
      this.journal.ends(transactionId);
      this.#undecided.delete(transactionId);
      running.dec();
      this.places.giveBack();
    });
    this.#keep(ending);
    const limit = VOTE_LIMIT_MS + DECISION_LIMIT_MS + FIRST_ROUND_LIMIT_MS;
    return await withTimeLimit("the transaction", limit, ending).catch((error) => {
      if (error instanceof TimeLimitError) throw new UserError("TIMEOUT", "the outcome is not known yet");
      throw error;
    });
  }

  /** The outcome of a transaction that is committed already, asked of `services` once more. */
  async recall(transactionId: string, services: readonly string[], span?: Span): Promise<Outcome> {
    const { results } = await this.phaseTwo.round(transactionId, services, FIRST_ROUND_LIMIT_MS, span);
    return { transactionId, results };
  }

  /** Waits for what is decided but not done, up to what the process allows; what is left is found again in the log. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled([...this.#background]);
    await this.decisions.flush();
  }

  async #run(
    operation: string,
    transactionId: string,
    input: Record<string, unknown>,
    span: Span | undefined,
  ): Promise<Outcome> {
    this.#undecided.add(transactionId);
    const services = this.required(operation);
    const refusal = await this.#prepare(services, { transactionId, operation, input, deadlineMs: DEADLINE_MS }, span);
    const decision = refusal === undefined
      ? await within(span, "decide", "internal", () => this.#decide(transactionId, services, span))
      : "aborted";
    if (decision === "aborted") {
      this.#keep(this.#rollBack(transactionId, services));
      transactions.inc({ operation, outcome: "aborted" });
      this.journal.decided(transactionId, "aborted", refusal?.message);
      throw refusal ?? new UserError("TRANSACTION_ABORTED", "a participant gave up waiting");
    }
    this.#undecided.delete(transactionId);
    this.journal.decided(transactionId, "committed");
    const results = await within(span, "commit", "internal", (phase) => this.#commit(transactionId, services, phase));
    transactions.inc({ operation, outcome: "committed" });
    return { transactionId, results };
  }

  /** Undefined when all voted yes, else why not; the first no is enough. */
  async #prepare(
    services: readonly string[],
    body: Parameters<Participants["prepare"]>[1],
    span: Span | undefined,
  ): Promise<UserError | undefined> {
    const end = startPhase("prepare", span);
    try {
      await within(
        span,
        "prepare",
        "internal",
        (phase) =>
          Promise.all(services.map((service) => this.participants.prepare(service, body, VOTE_LIMIT_MS, phase))),
      );
      return undefined;
    } catch (error) {
      // A vote of no has a reason for the user. Anything else is a participant that is away.
      const isVote = error instanceof UserError && !["SERVICE_UNAVAILABLE", "TIMEOUT", "INTERNAL"].includes(error.code);
      if (isVote) return error;
      this.log.warning("a participant has no vote: {error}", {
        error: reason(error),
        transactionId: body.transactionId,
      });
      return new UserError("TRANSACTION_ABORTED", "it was not sent: a service that takes part is away just now");
    } finally {
      end();
    }
  }

  /** Asks the log until it answers: an error while the decision is written is neither outcome. */
  async #decide(
    transactionId: string,
    services: readonly string[],
    span: Span | undefined,
  ): Promise<Decision> {
    const end = startPhase("decide", span);
    for (let attempt = 0;; attempt++) {
      try {
        crashPoint("gateway: before the decision");
        const decision = await this.decisions.decide(transactionId, "committed", services);
        crashPoint("gateway: after the decision");
        end();
        return decision;
      } catch (error) {
        countDatabaseError(error);
        this.log.warning("the decision log doesn't answer: {error}", { error: reason(error), transactionId });
        if (this.#abort.signal.aborted) throw new UserError("TIMEOUT", "the outcome is not known yet");
        await delay(backoffMs(attempt, 100, 2 * SECOND), this.#abort.signal);
      }
    }
  }

  /** The first round of commits; what it leaves goes on behind it. */
  async #commit(
    transactionId: string,
    services: readonly string[],
    span: Span | undefined,
  ): Promise<Map<string, Record<string, unknown>>> {
    const end = startPhase("commit", span);
    const { results, unconfirmed } = await this.phaseTwo.round(transactionId, services, FIRST_ROUND_LIMIT_MS, span);
    end();
    if (unconfirmed.length > 0) this.#keep(this.phaseTwo.untilConfirmed(transactionId, unconfirmed, span));
    else this.decisions.finished(transactionId);
    return results;
  }

  async #rollBack(transactionId: string, services: readonly string[]): Promise<void> {
    crashPoint("gateway: before the row of an abort");
    // The row lets whoever inquires know at once; presumed abort would do without it.
    await this.decisions.decide(transactionId, "aborted", []).catch(() => {});
    const giveUpAt = Date.now() + ROLLBACK_LIMIT_MS;
    await Promise.all(services.map(async (service) => {
      for (let attempt = 0; Date.now() < giveUpAt && !this.#abort.signal.aborted; attempt++) {
        try {
          return await this.participants.rollback(service, transactionId, 5 * SECOND);
        } catch {
          await delay(backoffMs(attempt, 100, 2 * SECOND), this.#abort.signal);
        }
      }
    }));
  }

  #keep(work: Promise<unknown>): void {
    const kept: Promise<unknown> = work.catch(() => {}).finally(() => this.#background.delete(kept));
    this.#background.add(kept);
  }
}
