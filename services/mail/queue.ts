/**
 * The queue (npm `graphile-worker`), drained by this node. In: jobs, whose payload is a mail's id. Out: calls of `run`, as many at once as
 * this node has connections. A pool of workers has a fixed size, and ends by itself where it loses the database: then another follows.
 *
 * What it is for: jobs in the order of their priority and time, fetched and removed many at a time, with a NOTIFY for new ones. What it is
 * not for: it keeps a dead worker's jobs locked for 4 hours, so lease.ts unlocks them; it tries again whatever was thrown, so outcome.ts
 * says what comes next, and a job that is done is done. A queue of our own, in `emails` itself, would write half as many rows for a mail,
 * and be this much more code to get right; npm `pg-boss` fetched 100 jobs a second here by default, and this 3,600.
 */

import { Logger as QueueLogger, run, runMigrations, type Runner } from "graphile-worker";
import { EventEmitter } from "node:events";
import pg from "pg";
import type { Sql } from "../../kit/database.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { measurePool } from "../../kit/database_pool.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { backoffMs, delay, SECOND } from "../../kit/time.ts";
import { TASK } from "./emails.ts";

/** How often it looks for what became due, in milliseconds; of new jobs it hears by NOTIFY. */
const POLL_MS = SECOND;
/** Jobs that this node has taken and not begun wait at most so long for their turn, in milliseconds; then others may take them. */
const TAKEN_MS = 2 * SECOND;
/** Connections to the database: one listens, and the statements are for many jobs each. */
const CONNECTIONS = 4;

export interface QueueOptions {
  readonly sql: Sql;
  /** The database's URL. */
  readonly url: string;
  readonly run: (id: string) => Promise<void>;
  /** Hears that {@link Queue.pools} has changed. */
  readonly onPools: () => void;
  readonly log: Logger;
}

export class Queue {
  /** graphile_worker's names of the pools whose locked jobs are this node's. */
  readonly pools = new Set<string>();
  readonly #connections: pg.Pool;
  readonly #stopping = new Set<Promise<void>>();
  #present: Drain | undefined;

  constructor(private readonly options: QueueOptions) {
    const pool = this.#connections = connections(options.url, CONNECTIONS, options.log);
    measurePool("queue", {
      get used() {
        return pool.totalCount - pool.idleCount;
      },
      get waiting() {
        return pool.waitingCount;
      },
      limit: CONNECTIONS,
    });
  }

  /** Brings the queue's own tables up to date. */
  async migrate(): Promise<void> {
    await runMigrations({ pgPool: this.#connections, logger: quietly(this.options.log) });
  }

  /** Takes so many jobs at once from now on. Those of before are finished beside them. */
  resize(atOnce: number): void {
    if (atOnce === (this.#present?.atOnce ?? 0)) return;
    this.#end();
    if (atOnce > 0) this.#present = new Drain(this.options, this.#connections, this.pools, atOnce);
  }

  /** Takes no more, and resolves when what has begun is done; what was taken and not begun is given back at once. */
  async stop(): Promise<void> {
    this.#end();
    await Promise.all(this.#stopping);
  }

  async close(): Promise<void> {
    await this.#connections.end();
  }

  #end(): void {
    const before = this.#present;
    if (before === undefined) return;
    this.#present = undefined;
    const stopped = before.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}

/** One pool of workers after another, all of one size. */
class Drain {
  readonly #abort = new AbortController();
  #runner: Runner | undefined;
  readonly #running: Promise<void>;

  constructor(
    private readonly options: QueueOptions,
    private readonly connections: pg.Pool,
    private readonly pools: Set<string>,
    readonly atOnce: number,
  ) {
    this.#running = this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#runner?.stop().catch(() => {});
    await this.#running;
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#abort;
    for (let failures = 0; !signal.aborted;) {
      const began = performance.now();
      await this.#runOnce();
      failures = performance.now() - began > 10 * SECOND ? 0 : failures + 1;
      await delay(backoffMs(failures, SECOND / 4, 5 * SECOND), signal);
    }
  }

  async #runOnce(): Promise<void> {
    const { run: runJob, onPools, log } = this.options;
    const { atOnce } = this;
    const pools: string[] = [];
    const events = new EventEmitter();
    events.on("pool:create", ({ workerPool }: { workerPool: { id: string } }) => {
      pools.push(workerPool.id);
      this.pools.add(workerPool.id);
      onPools();
    });
    try {
      this.#runner = await run({
        pgPool: this.connections,
        concurrency: atOnce,
        pollInterval: POLL_MS,
        noHandleSignals: true,
        events,
        logger: quietly(log),
        taskList: { [TASK]: (payload) => runJob((payload as { id: string }).id) },
        preset: {
          worker: { localQueue: { size: 2 * atOnce, ttl: TAKEN_MS }, completeJobBatchDelay: 0, failJobBatchDelay: 0 },
        },
      });
      if (this.#abort.signal.aborted) await this.#runner.stop();
      await this.#runner.promise;
    } catch (error) {
      countDatabaseError(error);
      log.warning("the queue of mails has stopped, and begins anew: {error}", { error: reason(error) });
    }
    await this.#unlock(pools);
  }

  /** What a pool that is gone had locked is for whoever comes first. */
  async #unlock(pools: string[]): Promise<void> {
    const { sql, log } = this.options;
    try {
      await sql`select graphile_worker.force_unlock_workers(${pools}::text[])`;
      for (const pool of pools) this.pools.delete(pool);
    } catch (error) {
      // The lease keeps them, so that they are unlocked with it at the latest.
      countDatabaseError(error);
      log.warning("jobs could not be unlocked: {error}", { error: reason(error) });
    }
  }
}

function connections(url: string, max: number, log: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: 5 * SECOND,
    statement_timeout: 10 * SECOND,
    idleTimeoutMillis: 60 * SECOND,
    application_name: "notifyx-mail-queue",
  });
  const lost = (error: Error) =>
    log.debug("the queue lost a connection to the database: {error}", { error: reason(error) });
  // Without a listener a lost connection would end the process; whoever waits for an answer is told all the same.
  pool.on("error", lost);
  pool.on("connect", (client) => client.on("error", lost));
  return pool;
}

/** What the queue says of single jobs is of no use to who reads logs; that of its connections is. */
function quietly(log: Logger): QueueLogger {
  return new QueueLogger(() => (level, message) => {
    if (level === "error") log.warning("the queue says: {message}", { message });
    else if (level === "warning") log.debug("the queue says: {message}", { message });
  });
}
