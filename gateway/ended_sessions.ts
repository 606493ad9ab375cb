/**
 * The gateway's stream of sessions that ended, from whichever instance of auth answers. In: JSON lines of
 * `services/auth/ended_stream.ts`. Out: each end once, in the order in which they were committed, to sessions.ts; after a lost stream it
 * goes on behind the last position, and where it can't, sessions.ts is told to ask about all that it knows.
 */

import { reason } from "../kit/directory.ts";
import type { Logger } from "../kit/log.ts";
import { gauge } from "../kit/metrics.ts";
import { backoffMs, delay, SECOND } from "../kit/time.ts";
import type { Balancer } from "./balancer.ts";
import { readMemberLines } from "./member_lines.ts";

/** Auth says something every half second; a stream that is silent for this long is dead or frozen, in milliseconds. */
const SILENCE_LIMIT_MS = 2 * SECOND;
/** The longest pause before the next try, in milliseconds. */
const PAUSE_LIMIT_MS = SECOND / 2;
/** A stream that is away for this long is worth a line in the log, in milliseconds. */
const WARN_AFTER_MS = 5 * SECOND;

const followed = gauge("notifyx_sessions_stream_up");
const followedPosition = gauge("notifyx_sessions_stream_position");

interface Line {
  readonly position: number;
  /** Of the line with which a stream begins, or begins anew. */
  readonly epoch?: string;
  readonly lost?: boolean;
  /** The SHA-256 of the token of a session that ended, as base64. */
  readonly hash?: string;
}

export class EndedSessions {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #place: { readonly epoch: string; position: number } | undefined;

  constructor(
    private readonly balancer: Balancer,
    private readonly secret: string,
    private readonly log: Logger,
    private readonly onEnded: (hash: string) => void,
    /** Ends may have been missed up to this moment; all later ones come. */
    private readonly onLost: () => void,
  ) {}

  start(): void {
    this.#running ??= this.#follow();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    let failures = 0;
    let heardAt = Date.now();
    let warned = false;
    while (!this.#abort.signal.aborted) {
      const began = Date.now();
      try {
        await this.#read(() => {
          if (warned) this.log.info("the stream of ended sessions is back");
          [heardAt, warned] = [Date.now(), false];
          followed.set(1);
        });
      } catch (error) {
        if (!this.#abort.signal.aborted && !warned && Date.now() - heardAt > WARN_AFTER_MS) {
          this.log.warning("the stream of ended sessions is away: {error}", { error: reason(error) });
          warned = true;
        }
      }
      followed.set(0);
      failures = Date.now() - began > SILENCE_LIMIT_MS ? 0 : failures + 1;
      await delay(backoffMs(failures, 20, PAUSE_LIMIT_MS), this.#abort.signal);
    }
  }

  #read(onLine: () => void): Promise<void> {
    const { balancer, secret } = this;
    const after = this.#place === undefined ? "" : `?after=${this.#place.position}&epoch=${this.#place.epoch}`;
    const path = `/api/sessions/ended${after}`;
    const stream = { balancer, secret, service: "auth", path, silenceMs: SILENCE_LIMIT_MS, signal: this.#abort.signal };
    return readMemberLines(stream, (line) => {
      this.#take(line as Line);
      onLine();
    });
  }

  #take({ position, epoch, lost, hash }: Line): void {
    if (epoch !== undefined) {
      // What was exchanged before the first stream began may have ended unheard as well.
      const wasUnknown = this.#place === undefined;
      if (wasUnknown || lost === true) this.#place = { position, epoch };
      if (wasUnknown || lost === true) this.onLost();
    } else if (hash !== undefined) {
      // A stream that begins again may repeat; one that jumps has lost something, and the next stream brings it.
      if (position <= this.#place!.position) return;
      if (position !== this.#place!.position + 1) {
        throw new Error(`ended sessions jump from ${this.#place!.position} to ${position}`);
      }
      this.#place!.position = position;
      this.onEnded(hash);
    }
    followedPosition.set(this.#place!.position);
  }
}
