/** Queries at a steady rate, whatever happens meanwhile; what fails is kept. */

import { delay } from "../../kit/time.ts";

export interface QueryLoadOptions {
  /** The gateways' `/graphql` just now, asked in turn. */
  readonly urls: () => readonly string[];
  readonly token: string;
  readonly queries: readonly string[];
  readonly perSecond: number;
}

const MOST_KEPT = 50;
/** How long an answer may take, in milliseconds. */
const LIMIT_MS = 10_000;

export class QueryLoad implements AsyncDisposable {
  asked = 0;
  failures = 0;
  answered = 0;
  /** The longest time that a query took, in milliseconds. */
  longestMs = 0;
  /** What the first queries that failed were answered. */
  readonly failed: string[] = [];
  readonly #waiting = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(private readonly options: QueryLoadOptions) {
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#waiting);
  }

  async #run(): Promise<void> {
    const { perSecond } = this.options;
    const began = performance.now();
    while (!this.#stopped) {
      // What a busy machine kept from being asked in time is asked at once.
      const due = (performance.now() - began) * perSecond / 1_000;
      while (this.asked < due && this.#waiting.size < perSecond) {
        const asking = this.#ask(this.asked++).finally(() => this.#waiting.delete(asking));
        this.#waiting.add(asking);
      }
      await delay(Math.min(20, 1_000 / perSecond));
    }
  }

  async #ask(number: number): Promise<void> {
    const { urls, token, queries } = this.options;
    const query = queries[number % queries.length]!;
    const began = performance.now();
    const present = urls();
    try {
      const response = await fetch(present[number % present.length]!, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ query }),
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      const answer = await response.json();
      if (answer.errors !== undefined || answer.data == null) this.#fail(query, began, JSON.stringify(answer));
    } catch (error) {
      this.#fail(query, began, error instanceof Error ? `${error.message} ${error.cause ?? ""}` : String(error));
    }
    this.answered++;
    this.longestMs = Math.max(this.longestMs, performance.now() - began);
  }

  #fail(query: string, began: number, why: string): void {
    this.failures++;
    if (this.failed.length >= MOST_KEPT) return;
    this.failed.push(
      `${query} at ${new Date().toISOString()} after ${Math.round(performance.now() - began)} ms: ${why}`,
    );
  }
}
