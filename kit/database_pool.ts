/**
 * How much of a pool is in use. In: what is asked of it. Out: how many of its connections that takes, and what waits. npm `postgres` keeps
 * both to itself, so what goes in and comes out is counted. It has one statement on each connection as long as there is a free one, and
 * then sends further ones after those, so that what is under way tells how many connections are in use.
 */

import type { Gauge } from "prom-client";
import type { Sql } from "./database.ts";
import { gauge } from "./metrics.ts";

/** What the driver makes of a statement: nothing happens until somebody awaits it; then it is given to its handler, once. */
interface Statement extends Promise<unknown> {
  handler(statement: Statement): unknown;
}

export interface Pool {
  /** Its connections that are in use. */
  readonly used: number;
  /** What waits for one. */
  readonly waiting: number;
  /** How many connections it has at most. */
  readonly limit: number;
}

const pools = new Map<string, Pool>();

export class PoolUse implements Pool {
  /** The pool, to be used instead of the one that was given. */
  readonly sql: Sql;
  #underWay = 0;
  /** The same for all statements of a pool that belong to no transaction. */
  #handler: Statement["handler"] | undefined;

  constructor(sql: Sql, readonly limit: number) {
    const unsafe = (...args: Parameters<Sql["unsafe"]>) => this.#follow(sql.unsafe(...args));
    const begin = (...args: [never]) => this.#count(sql.begin(...args));
    this.sql = new Proxy(sql, {
      apply: (target, that, args) => this.#follow(Reflect.apply(target, that, args)),
      get: (target, key) => key === "unsafe" ? unsafe : key === "begin" ? begin : Reflect.get(target, key),
    });
  }

  get used(): number {
    return Math.min(this.#underWay, this.limit);
  }

  get waiting(): number {
    return this.#underWay - this.used;
  }

  /** A statement counts from when it is sent: what becomes a part of another one never is, nor is a list of values. */
  #follow<T>(made: T): T {
    if (made instanceof Promise) {
      const statement = made as unknown as Statement;
      this.#handler ??= statement.handler;
      statement.handler = this.#counted;
    }
    return made;
  }

  readonly #counted = (statement: Statement) => {
    this.#count(statement);
    return this.#handler!(statement);
  };

  #count<T extends Promise<unknown>>(work: T): T {
    this.#underWay++;
    const done = () => void this.#underWay--;
    // Whoever asked for it gets its error: this is another branch. The statement's own `then` would look whether it is sent yet.
    Promise.prototype.then.call(work, done, done);
    return work;
  }
}

/** Each of this process's pools has a name of its own. */
export function measurePool(name: string, pool: Pool): void {
  if (pools.size === 0) {
    const each = (value: (pool: Pool) => number) => (shown: Gauge<"pool">) => {
      for (const [pool, use] of pools) shown.set({ pool }, value(use));
    };
    gauge("notifyx_database_pool_used", each(({ used }) => used));
    gauge("notifyx_database_pool_waiting", each(({ waiting }) => waiting));
    gauge("notifyx_database_pool_limit", each(({ limit }) => limit));
  }
  pools.set(name, pool);
}
