/**
 * What a gateway tells of its database: transactions that are decided and not finished, every few seconds; and what its server holds of
 * what there is only so much of, more rarely. In: what the database says. Out: gauges, which keep their last values while it says nothing.
 */

import { countDatabaseError } from "../kit/database_metrics.ts";
import { databaseName, type Sql } from "../kit/database.ts";
import { reason } from "../kit/directory.ts";
import type { Logger } from "../kit/log.ts";
import { gauge } from "../kit/metrics.ts";
import { HOLDERS } from "../kit/metrics/definition.ts";
import { delay, SECOND } from "../kit/time.ts";
import type { DecisionLog } from "./two_phase/decision_log.ts";

/** Between two looks, in milliseconds; every so many of them the server is looked at too. */
const LOOK_EVERY_MS = 2 * SECOND;
const SERVER_EACH = 5;

/** Ours on the server: of others it is told together how many connections they have, which are taken from the same limit. */
const DATABASES = HOLDERS["every process with a database"].map(databaseName);

const OTHERS = "others";

interface Server {
  readonly others: number;
  readonly connections: number;
  readonly prepared: number;
  readonly prepared_limit: number;
}

const sizes = gauge("notifyx_database_size_bytes");
const connections = gauge("notifyx_database_connections");
const connectionsLimit = gauge("notifyx_database_connections_limit");
const prepared = gauge("notifyx_database_prepared_transactions");
const preparedLimit = gauge("notifyx_database_prepared_transactions_limit");

export class DatabaseFigures {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #unfinished = 0;
  /** In milliseconds since 1970: its age goes on while the database is away. */
  #oldestSince: number | undefined;

  constructor(
    private readonly sql: Sql,
    private readonly decisions: Pick<DecisionLog, "countUnfinished">,
    private readonly log: Logger,
  ) {
    gauge("notifyx_transactions_unfinished", () => this.#unfinished);
    gauge(
      "notifyx_transactions_unfinished_oldest_age_seconds",
      () => this.#oldestSince === undefined ? 0 : Math.max(0, Date.now() - this.#oldestSince) / SECOND,
    );
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let look = 0; !this.#abort.signal.aborted; look++) {
      try {
        await this.#lookAtDecisions();
        if (look % SERVER_EACH === 0) await this.#lookAtServer();
      } catch (error) {
        countDatabaseError(error);
        this.log.debug("the database doesn't say how it is: {error}", { error: reason(error) });
      }
      await delay(LOOK_EVERY_MS, this.#abort.signal);
    }
  }

  async #lookAtDecisions(): Promise<void> {
    const { count, since } = await this.decisions.countUnfinished();
    this.#unfinished = count;
    this.#oldestSince = since?.getTime();
  }

  async #lookAtServer(): Promise<void> {
    const rows = await this.sql<{ name: string; bytes: number; connections: number }[]>`
      select datname as name, pg_database_size(oid)::float8 as bytes,
        (select count(*) from pg_stat_activity a where a.datid = d.oid)::int as connections
      from pg_database d where datname = any(${DATABASES}::text[]) and has_database_privilege(oid, 'connect')`;
    for (const { name, bytes, connections: open } of rows) {
      sizes.set({ database: name }, bytes);
      connections.set({ database: name }, open);
    }
    const [server] = await this.sql<Server[]>`select
      (select count(*) from pg_stat_activity where datid is not null and datname <> all(${DATABASES}::text[]))::int as others,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(nullif(current_setting('reserved_connections', true), '')::int, 0) as connections,
      (select count(*) from pg_prepared_xacts)::int as prepared,
      current_setting('max_prepared_transactions')::int as prepared_limit`;
    connections.set({ database: OTHERS }, server!.others);
    connectionsLimit.set(server!.connections);
    prepared.set(server!.prepared);
    preparedLimit.set(server!.prepared_limit);
  }
}
