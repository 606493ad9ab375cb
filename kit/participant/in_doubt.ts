/**
 * Resolves what this participant holds prepared and nobody came back for: it inquires at any gateway, and commits or rolls back as
 * told. Looks again and again, since a backend whose client died can still finish a PREPARE that it had received.
 */

import { callFor } from "../call.ts";
import { type Directory, reason } from "../directory.ts";
import type { Logger } from "../log.ts";
import { delay, SECOND } from "../time.ts";
import type { Barrier } from "./barrier.ts";
import { inDoubt, inDoubtOldestAge } from "./metrics.ts";

/** Between two looks, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;
/** For a transaction that another instance prepared, whose deadline isn't known here, in milliseconds. */
const DEFAULT_DEADLINE_MS = 10 * SECOND;
/** How many inquiries run at once. */
const AT_ONCE = 8;
/** How many deadlines are remembered; older ones fall back to the default. */
const MOST_DEADLINES = 10_000;

export interface InDoubtOptions {
  readonly barrier: Barrier;
  readonly directory: Directory;
  readonly secret: string;
  readonly log: Logger;
  /** What is done after a commit, as after one that the coordinator asked for. */
  readonly committed: (transactionId: string) => void;
}

export class InDoubt {
  readonly #deadlines = new Map<string, number>();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #turn = 0;

  constructor(private readonly options: InDoubtOptions) {}

  /** How long after its prepare a transaction is left alone, in milliseconds. */
  remember(transactionId: string, deadlineMs: number): void {
    if (this.#deadlines.size >= MOST_DEADLINES) this.#deadlines.delete(this.#deadlines.keys().next().value!);
    this.#deadlines.set(transactionId, deadlineMs);
  }

  forget(transactionId: string): void {
    this.#deadlines.delete(transactionId);
  }

  start(): void {
    this.#running ??= this.#lookAgainAndAgain();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #lookAgainAndAgain(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        this.options.log.warning("looking for transactions in doubt failed: {error}", { error: reason(error) });
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  async #look(): Promise<void> {
    const prepared = await this.options.barrier.prepared();
    const late = prepared.filter(({ transactionId, ageMs }) =>
      ageMs > (this.#deadlines.get(transactionId) ?? DEFAULT_DEADLINE_MS)
    );
    inDoubt.set(late.length);
    inDoubtOldestAge.set((late[0]?.ageMs ?? 0) / 1000);
    const queue = late.map(({ transactionId }) => transactionId);
    const worker = async () => {
      for (let id = queue.shift(); id !== undefined && !this.#abort.signal.aborted; id = queue.shift()) {
        await this.#resolve(id);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #resolve(transactionId: string): Promise<void> {
    const { barrier, log } = this.options;
    try {
      const state = await this.#inquire(transactionId);
      if (state === "pending") return;
      if (state === "committed") {
        await barrier.commit(transactionId);
        this.options.committed(transactionId);
      } else await barrier.rollback(transactionId);
      this.forget(transactionId);
      log.info("a transaction in doubt is {state}", { state, transactionId });
    } catch (error) {
      log.warning("a transaction stays in doubt: {error}", { error: reason(error), transactionId });
    }
  }

  async #inquire(transactionId: string): Promise<"pending" | "committed" | "aborted"> {
    const gateways = this.options.directory.instances("gateway");
    if (gateways.length === 0) throw new Error("discovery names no gateway");
    const { url } = gateways[this.#turn++ % gateways.length]!;
    const { state } = await callFor<{ state?: unknown }>(`${url}/api/transactions/${transactionId}/inquire`, {
      method: "POST",
      secret: this.options.secret,
      limitMs: 3 * SECOND,
    });
    if (state === "pending" || state === "committed" || state === "aborted") return state;
    throw new Error("the gateway's answer has no state");
  }
}
