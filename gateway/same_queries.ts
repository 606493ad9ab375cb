/**
 * The same query of the same caller, asked many times in one turn of the event loop, is executed once. It begins at the end of the turn:
 * an answer is never older than the question, as it would be if a question joined what is on its way already.
 */

import type { Answer } from "../kit/graphql.ts";
import type { Lifetime } from "./guards/lifetime.ts";

interface Waiting {
  readonly answer: Promise<Answer>;
  readonly lifetime: Lifetime;
  start(): void;
}

export class SameQueries {
  #waiting = new Map<string, Waiting>();

  /** The answer that will be had by `key` in this turn; whoever takes it shares its lifetime. */
  get(key: string): Pick<Waiting, "answer" | "lifetime"> | undefined {
    return this.#waiting.get(key);
  }

  /** Executes at the end of the turn; until then {@link get} gives its answer. */
  run(key: string, lifetime: Lifetime, execute: () => Promise<Answer> | Answer): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    if (this.#waiting.size === 0) setImmediate(() => this.#startAll());
    this.#waiting.set(key, {
      answer: promise,
      lifetime,
      start() {
        try {
          const answer = execute();
          if (answer instanceof Promise) answer.then(resolve, reject);
          else resolve(answer);
        } catch (error) {
          reject(error);
        }
      },
    });
    return promise;
  }

  #startAll(): void {
    const all = this.#waiting;
    this.#waiting = new Map();
    for (const waiting of all.values()) waiting.start();
  }
}
