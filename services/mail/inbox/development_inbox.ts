/**
 * An SMTP server for a system that has none: it takes every mail, keeps it for the page `/inbox`, and passes nothing on.
 *
 * All mail nodes want the same port. One gets it and serves; the others try again each second, and so take over when it is gone.
 */

import type { Sql } from "../../../kit/database.ts";
import type { Logger } from "../../../kit/log.ts";
import { delay, SECOND } from "../../../kit/time.ts";
import { Receiver } from "./receiver.ts";

const RETRY_MS = SECOND;

export interface DevelopmentInboxOptions {
  readonly sql: Sql;
  /** Where to listen. */
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
}

export class DevelopmentInbox {
  readonly #stop = new AbortController();
  #receiver: Receiver | undefined;
  #serving: Promise<void> | undefined;
  #warned: string | undefined;

  constructor(private readonly options: DevelopmentInboxOptions) {}

  /** The port, where this node is the one that serves. */
  get port(): number | undefined {
    return this.#receiver?.port;
  }

  /** Resolves once it is known whether this node serves; if not, it goes on trying. */
  async start(): Promise<void> {
    await this.#tryToListen();
    this.#serving = this.#serve();
  }

  /** Frees the port at once, and resolves when the mails that were coming are kept or cut off. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#serving;
    await this.#receiver?.close();
    this.#receiver = undefined;
  }

  async #serve(): Promise<void> {
    const { signal } = this.#stop;
    while (this.#receiver === undefined) {
      await delay(RETRY_MS, signal);
      if (signal.aborted) return;
      await this.#tryToListen();
    }
  }

  async #tryToListen(): Promise<void> {
    const { sql, host, port, log } = this.options;
    const receiver = new Receiver({ sql, log });
    try {
      await receiver.listen(port, host);
    } catch (error) {
      const { code } = error as { code?: string };
      // The usual case is that another node has it; what else there is, is said once.
      if (code !== "EADDRINUSE" && code !== this.#warned) {
        log.warning("the development inbox can't listen on {host}, port {port}: {error}", { host, port, error });
        this.#warned = code;
      }
      return;
    }
    log.info("the development inbox takes mails on {host}, port {port}", { host, port });
    this.#receiver = receiver;
  }
}
