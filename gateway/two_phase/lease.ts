/** This gateway's lease in the decision log: as long as it is renewed, the others leave to this one what it decided. */

import { countDatabaseError } from "../../kit/database_metrics.ts";
import { reason } from "../../kit/directory.ts";
import type { Sql } from "../../kit/database.ts";
import type { Logger } from "../../kit/log.ts";
import { delay, SECOND } from "../../kit/time.ts";

/** How long a lease lasts, and how often it is renewed, in milliseconds. */
const LEASE_MS = 5 * SECOND;
const RENEW_EVERY_MS = 1.5 * SECOND;

export class Lease {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly sql: Sql, private readonly gatewayId: string, private readonly log: Logger) {}

  async start(): Promise<void> {
    // Those that were killed have left theirs. To have none means the same as to have one that has ended.
    await this.sql`delete from leases where until < now()`;
    await this.#renew();
    this.#running ??= this.#run();
  }

  /** Gives the lease back: what is left unfinished is taken over at once. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    await this.sql`delete from leases where gateway_id = ${this.gatewayId}`;
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await delay(RENEW_EVERY_MS, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      try {
        await this.#renew();
      } catch (error) {
        countDatabaseError(error);
        this.log.warning("the lease can't be renewed: {error}", { error: reason(error) });
      }
    }
  }

  async #renew(): Promise<void> {
    await this
      .sql`insert into leases (gateway_id, until) values (${this.gatewayId}, now() + ${LEASE_MS} * interval '1 millisecond')
      on conflict (gateway_id) do update set until = excluded.until`;
  }
}
