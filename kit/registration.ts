/** Keeps this process's lease at every discovery node: registers, renews it by the same call, and gives it back at the end. */

import { call } from "./call.ts";
import { reason } from "./directory.ts";
import type { Logger } from "./log.ts";
import { delay, SECOND } from "./time.ts";

export interface RegistrationOptions {
  readonly discoveryUrls: readonly string[];
  readonly secret: string;
  readonly id: string;
  readonly service: string;
  /** The base of this process's routes, as others reach it. */
  readonly url: string;
  /** The two-phase-commit operations in which this service takes part. */
  readonly participates?: readonly string[];
  /** Whether its GraphQL types join the graph. */
  readonly subgraph?: boolean;
  /** Names these types: who knows it needn't ask for them. */
  readonly schemaHash?: string;
  /** Of its code, for people. */
  readonly version?: string;
  readonly log: Logger;
}

/** Between two heartbeats, in milliseconds: three fit into discovery's TTL. */
const HEARTBEAT_MS = 3 * SECOND;
/** After a heartbeat that failed, in milliseconds: a discovery that comes back knows everyone within a second. */
const RETRY_MS = SECOND / 2;
const CALL_LIMIT_MS = 2 * SECOND;

export class Registration {
  readonly #abort = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(private readonly options: RegistrationOptions) {}

  start(): void {
    this.#running ??= Promise.all(this.options.discoveryUrls.map((url) => this.#renew(url)));
  }

  /** Ends the heartbeats and takes this process out of discovery, as far as discovery answers. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    this.#abort.abort();
    await this.#running;
    const { discoveryUrls, secret, id } = this.options;
    await Promise.allSettled(
      discoveryUrls.map((url) => call(`${url}/api/instances/${id}`, { method: "DELETE", secret, limitMs: SECOND })),
    );
  }

  async #renew(url: string): Promise<void> {
    const { id, service, secret, participates = [], subgraph = false, schemaHash, version, log } = this.options;
    const body = { service, url: this.options.url, participates, subgraph, schemaHash, version, metrics: true };
    let failures = 0;
    while (!this.#abort.signal.aborted) {
      try {
        const { status } = await call(`${url}/api/instances/${id}`, {
          method: "PUT",
          secret,
          body,
          limitMs: CALL_LIMIT_MS,
        });
        if (status !== 200) throw new Error(`${status} from discovery`);
        failures = 0;
      } catch (error) {
        if (++failures === 5) {
          log.warning("discovery doesn't take this process's heartbeat: {error}", { error: reason(error) });
        }
      }
      await delay(failures > 0 ? RETRY_MS : HEARTBEAT_MS, this.#abort.signal);
    }
  }
}
