/**
 * Which services an operation can't do without: those that it always needs, and every service that has ever named it when it registered,
 * until somebody withdraws it (`deno task withdraw`). Without one of them the operation is aborted, never silently done by the rest.
 */

import type { Sql } from "../../kit/database.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { type Directory, reason } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, SECOND } from "../../kit/time.ts";

const ALWAYS: Readonly<Record<string, readonly string[]>> = { sendNotification: ["notifications", "counter"] };
/** How often what other gateways learned is read, in milliseconds. */
const READ_EVERY_MS = 2 * SECOND;

export class RequiredParticipants {
  /** `operation service`, as they stand in the database. */
  #known = new Set<string>();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #stopWatching: () => void = () => {};

  constructor(private readonly sql: Sql, private readonly directory: Directory, private readonly log: Logger) {}

  /** Of a service that has just appeared too, though it isn't written down yet. */
  of(operation: string): string[] {
    const known = [...this.#known].filter((one) => one.startsWith(`${operation} `)).map((one) =>
      one.slice(operation.length + 1)
    );
    return [...new Set([...ALWAYS[operation] ?? [], ...known, ...this.#named(operation)])];
  }

  async start(): Promise<void> {
    await this.#read();
    this.#stopWatching = this.directory.onChange(() => void this.#learn());
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopWatching();
    this.#abort.abort();
    await this.#running;
  }

  /**
   * From now on the operation goes on without the service; whether it was required.
   * @throws UserError `CONFLICT` while it still names the operation, or when the operation always needs it
   */
  async withdraw(service: string, operation: string): Promise<boolean> {
    if (ALWAYS[operation]?.includes(service)) throw new UserError("CONFLICT", `${operation} always needs ${service}`);
    if (this.#named(operation).includes(service)) {
      throw new UserError("CONFLICT", `${service} is running and names ${operation}: stop it first`);
    }
    const gone = await this
      .sql`delete from participants where operation = ${operation} and service = ${service} returning 1`;
    this.#known.delete(`${operation} ${service}`);
    return gone.length > 0;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await delay(READ_EVERY_MS, this.#abort.signal);
      if (!this.#abort.signal.aborted) await this.#learn();
    }
  }

  /** Writes down who has appeared, and reads what others wrote. */
  async #learn(): Promise<void> {
    try {
      const named = this.directory.all().flatMap(({ service, participates }) =>
        participates.map((operation) => ({ service, operation }))
      );
      const news = named.filter(({ service, operation }) => !this.#known.has(`${operation} ${service}`));
      if (news.length > 0) {
        const written = await this.sql<{ service: string; operation: string }[]>`
          insert into participants ${
          this.sql(news, "service", "operation")
        } on conflict do nothing returning service, operation`;
        for (const { service, operation } of written) {
          this.log.info("{service} takes part in {operation}", { service, operation });
        }
      }
      await this.#read();
    } catch (error) {
      countDatabaseError(error);
      this.log.warning("who takes part can't be read: {error}", { error: reason(error) });
    }
  }

  async #read(): Promise<void> {
    const rows = await this.sql<{ operation: string; service: string }[]>`select operation, service from participants`;
    this.#known = new Set(rows.map(({ operation, service }) => `${operation} ${service}`));
  }

  #named(operation: string): string[] {
    return this.directory.all().filter(({ participates }) => participates.includes(operation)).map(({ service }) =>
      service
    );
  }
}
