/** The transactions that this gateway coordinates and has coordinated lately, for people; in memory, and bounded. */

export interface Entry {
  readonly transactionId: string;
  readonly operation: string;
  /** In milliseconds since 1970. */
  readonly beganAt: number;
  /** Until it was decided and tried once on all, in milliseconds; undefined while it runs. */
  tookMs?: number;
  state: "running" | "committed" | "aborted";
  /** Why it was aborted. */
  reason?: string;
}

const MOST_ENDED = 20;

export class Journal {
  /** How many were decided since this process started. */
  readonly counts = { committed: 0, aborted: 0 };
  readonly #running = new Map<string, Entry>();
  #ended: Entry[] = [];

  begins(transactionId: string, operation: string): void {
    this.#running.set(transactionId, { transactionId, operation, beganAt: Date.now(), state: "running" });
  }

  decided(transactionId: string, state: "committed" | "aborted", reason?: string): void {
    const entry = this.#running.get(transactionId);
    if (entry === undefined) return;
    this.counts[state]++;
    entry.state = state;
    entry.reason = reason;
  }

  ends(transactionId: string): void {
    const entry = this.#running.get(transactionId);
    if (entry === undefined) return;
    this.#running.delete(transactionId);
    entry.tookMs = Date.now() - entry.beganAt;
    this.#ended.push(entry);
    if (this.#ended.length > 2 * MOST_ENDED) this.#ended = this.#ended.slice(-MOST_ENDED);
  }

  /** Oldest first. */
  running(): Entry[] {
    return [...this.#running.values()];
  }

  /** Newest first. */
  ended(): Entry[] {
    return this.#ended.slice(-MOST_ENDED).reverse();
  }
}
