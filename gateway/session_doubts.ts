/**
 * Sessions that may have ended without our being told: asked about by batch, `POST /api/sessions/living` of auth, until each is answered.
 * In: what sessions.ts is in doubt about, by the hash of the token. Out: for each whether it lives.
 */

import { callFor } from "../kit/call.ts";
import { reason } from "../kit/directory.ts";
import type { Logger } from "../kit/log.ts";
import { gauge } from "../kit/metrics.ts";
import { backoffMs, delay, SECOND } from "../kit/time.ts";
import { type Balancer, isAway } from "./balancer.ts";

/** How many one call asks about. */
const BATCH = 1_000;
const CALL_LIMIT_MS = 3 * SECOND;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = SECOND;

const doubted = gauge("notifyx_sessions_doubted");

export interface SessionDoubtsHandler {
  /** Whether anybody would still miss the session's end. */
  isKnown(key: string): boolean;
  /** It lives until `endsAt`, in milliseconds since 1970. */
  lives(key: string, endsAt: number): void;
  hasEnded(key: string): void;
}

interface Living {
  readonly living: readonly { readonly hash: string; readonly expiresAt: string }[];
}

export class SessionDoubts {
  readonly #doubted = new Set<string>();
  readonly #abort = new AbortController();
  #asking: Promise<void> | undefined;

  constructor(
    private readonly balancer: Balancer,
    private readonly secret: string,
    private readonly log: Logger,
    private readonly handler: SessionDoubtsHandler,
  ) {}

  add(keys: Iterable<string>): void {
    for (const key of keys) this.#doubted.add(key);
    if (this.#doubted.size > 0) this.#asking ??= this.#ask();
    doubted.set(this.#doubted.size);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#asking;
  }

  async #ask(): Promise<void> {
    for (let failures = 0; this.#doubted.size > 0 && !this.#abort.signal.aborted;) {
      const batch = [...this.#doubted.values().take(BATCH)];
      // Before the answer: what is doubted anew meanwhile has to be asked about anew.
      for (const key of batch) this.#doubted.delete(key);
      try {
        const ends = await this.#askFor(batch);
        for (const key of batch) this.#tell(key, ends.get(key));
        failures = 0;
      } catch (error) {
        for (const key of batch) this.#doubted.add(key);
        // So that it doesn't grow while auth is away, whoever comes and goes.
        for (const key of this.#doubted) if (!this.handler.isKnown(key)) this.#doubted.delete(key);
        if (!isAway(error)) this.log.warning("sessions can't be asked about: {error}", { error: reason(error) });
        await delay(backoffMs(failures++, FIRST_PAUSE_MS, LONGEST_PAUSE_MS), this.#abort.signal);
      }
      doubted.set(this.#doubted.size);
    }
    this.#asking = undefined;
  }

  #tell(key: string, endsAt: number | undefined): void {
    if (endsAt === undefined) this.handler.hasEnded(key);
    else this.handler.lives(key, endsAt);
  }

  async #askFor(hashes: readonly string[]): Promise<Map<string, number>> {
    const { living } = await this.balancer.ask("auth", CALL_LIMIT_MS, ({ url }, limitMs) => {
      return callFor<Living>(`${url}/api/sessions/living`, { body: { hashes }, secret: this.secret, limitMs });
    });
    return new Map(living.map(({ hash, expiresAt }) => [hash, Date.parse(expiresAt)]));
  }
}
