/** Phase two of a committed transaction: commit on every participant, until each has confirmed. Anyone may do it, also two at once. */

import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { backoffMs, delay, SECOND } from "../../kit/time.ts";
import type { Span } from "../../kit/tracing/mod.ts";
import type { DecisionLog } from "./decision_log.ts";
import { damaged } from "./metrics.ts";
import { Damage, type Participants } from "./participants.ts";

export interface Round {
  readonly results: Map<string, Record<string, unknown>>;
  readonly unconfirmed: string[];
}

/** How long one commit may take when nobody waits for it, in milliseconds. */
const COMMIT_LIMIT_MS = 5 * SECOND;
/** The longest pause between two rounds, in milliseconds. */
const PAUSE_LIMIT_MS = 2 * SECOND;

export class PhaseTwo {
  /** Transactions that are driven here now. */
  readonly #driven = new Set<string>();
  readonly #damaged = new Set<string>();
  readonly #rounds = new Map<string, number>();

  constructor(
    private readonly participants: Participants,
    private readonly decisions: DecisionLog,
    private readonly log: Logger,
    private readonly signal: AbortSignal,
  ) {}

  get damagedCount(): number {
    return this.#damaged.size;
  }

  isDamaged(transactionId: string): boolean {
    return this.#damaged.has(transactionId);
  }

  /** How many rounds of commits were tried here for a transaction that isn't confirmed. */
  roundsOf(transactionId: string): number {
    return this.#rounds.get(transactionId) ?? 0;
  }

  /** Those for which nothing is to be done now: they are driven here, or damaged. */
  busy(): string[] {
    return [...this.#driven, ...this.#damaged];
  }

  /** One commit on each of `services`, at once. */
  async round(
    transactionId: string,
    services: readonly string[],
    limitMs: number,
    span?: Span,
  ): Promise<Round> {
    const results = new Map<string, Record<string, unknown>>();
    const unconfirmed: string[] = [];
    this.#driven.add(transactionId);
    await Promise.all(services.map(async (service) => {
      try {
        const result = await this.participants.commit(service, transactionId, limitMs, span);
        if (result !== undefined) results.set(service, result);
      } catch (error) {
        unconfirmed.push(service);
        if (error instanceof Damage) return this.#alarm(error);
        const details = { service, error: reason(error), transactionId };
        this.log.warning("{service} has not confirmed a commit: {error}", details);
      }
    }));
    this.#driven.delete(transactionId);
    if (unconfirmed.length === 0) this.#rounds.delete(transactionId);
    else this.#rounds.set(transactionId, this.roundsOf(transactionId) + 1);
    return { results, unconfirmed };
  }

  /** Rounds with growing pauses, until all have confirmed, the process stops, or there is damage. */
  async untilConfirmed(transactionId: string, services: readonly string[], span?: Span): Promise<void> {
    let left = services;
    for (let attempt = 0; left.length > 0; attempt++) {
      this.#driven.add(transactionId);
      await delay(backoffMs(attempt, 50, PAUSE_LIMIT_MS), this.signal);
      this.#driven.delete(transactionId);
      if (this.signal.aborted || this.#damaged.has(transactionId)) return;
      left = (await this.round(transactionId, left, COMMIT_LIMIT_MS, span)).unconfirmed;
    }
    this.decisions.finished(transactionId);
  }

  /** The row stays unfinished, and nobody tries again: a person has to look. */
  #alarm(damage: Damage): void {
    this.#damaged.add(damage.transactionId);
    damaged.set(this.#damaged.size);
    this.log.error("DAMAGE: {error}", { error: damage.message, transactionId: damage.transactionId });
  }
}
