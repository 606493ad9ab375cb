/**
 * The gateway's one upstream: the feed of the notifications service, from whichever of its instances answers. In: JSON lines of
 * `services/notifications/stream.ts`. Out: each event once, in the order of positions, to hub.ts; after a lost stream it goes on behind
 * the last position.
 */

import type { FeedEvent } from "./feed_event.ts";
import { reason } from "../../kit/directory.ts";
import type { Logger } from "../../kit/log.ts";
import { backoffMs, delay, SECOND } from "../../kit/time.ts";
import type { Balancer } from "../balancer.ts";
import { readMemberLines } from "../member_lines.ts";

/** The feed says something every 3 s; one that is silent for this long is dead, in milliseconds. */
const SILENCE_LIMIT_MS = 8 * SECOND;
/** One that is silent for this long is late: who looks at the metrics is told, in milliseconds. */
const LATE_AFTER_MS = 4 * SECOND;
/** The longest pause before the next try, in milliseconds. */
const PAUSE_LIMIT_MS = SECOND;

export interface FeedReader {
  /** The feed is heard for the first time; events come from behind `position`. */
  onStart(position: number): void;
  onEvent(event: FeedEvent): void;
  /** Events behind `from` up to `to` are removed: this gateway was away for too long. */
  onSkip(from: number, to: number): void;
  /** The feed was replaced by another one, which stands at `position`: no position of before means anything. */
  onOtherEpoch(position: number): void;
}

/** An event, or where the stream is. */
type Line = FeedEvent | { kind?: undefined; position: number; epoch?: string; skipped?: true };

export class UpstreamFeed {
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #position: number | undefined;
  #epoch: string | undefined;
  /** Whether a stream is open that has said something, and when one last did, by `performance.now()`; at first that of the start. */
  #isOpen = false;
  #heardAt = performance.now();

  constructor(
    private readonly balancer: Balancer,
    private readonly secret: string,
    private readonly log: Logger,
    private readonly to: FeedReader,
  ) {}

  /** Undefined until the feed was heard once. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** Undefined until the feed was heard once: whoever begins to listen before that might miss something. */
  get position(): number | undefined {
    return this.#position;
  }

  /** For how long nothing was heard of the feed, in milliseconds; 0 while it is followed. */
  get silentMs(): number {
    const silentMs = performance.now() - this.#heardAt;
    return this.#isOpen && silentMs < LATE_AFTER_MS ? 0 : silentMs;
  }

  start(): void {
    this.#running ??= this.#follow();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    for (let failures = 0; !this.#abort.signal.aborted;) {
      const began = Date.now();
      try {
        await this.#read();
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (failures === 3) this.log.warning("the feed is away: {error}", { error: reason(error) });
      }
      this.#isOpen = false;
      failures = Date.now() - began > SILENCE_LIMIT_MS ? 0 : failures + 1;
      await delay(backoffMs(failures, 50, PAUSE_LIMIT_MS), this.#abort.signal);
    }
  }

  #read(): Promise<void> {
    const { balancer, secret } = this;
    const path = `/api/feed${this.#position === undefined ? "" : `?after=${this.#position}`}`;
    const service = "notifications";
    const stream = { balancer, secret, service, path, silenceMs: SILENCE_LIMIT_MS, signal: this.#abort.signal };
    return readMemberLines(stream, (line) => {
      this.#isOpen = true;
      this.#heardAt = performance.now();
      this.#take(line as Line);
    });
  }

  #take(line: Line): void {
    if (line.kind === undefined) {
      if (line.epoch !== undefined) this.#checkEpoch(line.epoch, line.position);
      if (this.#position === undefined) {
        this.#position = line.position;
        this.to.onStart(line.position);
      } else if (line.skipped && line.position > this.#position) {
        const from = this.#position;
        this.#position = line.position;
        this.to.onSkip(from, line.position);
      }
      return;
    }
    // A stream that begins again may repeat; one that jumps has lost something, and the next stream brings it.
    if (line.position <= this.#position!) return;
    if (line.position !== this.#position! + 1) {
      throw new Error(`the feed jumps from ${this.#position} to ${line.position}`);
    }
    this.#position = line.position;
    this.to.onEvent(line);
  }

  #checkEpoch(epoch: string, position: number): void {
    const isOther = this.#epoch !== undefined && this.#epoch !== epoch;
    this.#epoch = epoch;
    if (!isOther) return;
    this.#position = position;
    this.to.onOtherEpoch(position);
  }
}
