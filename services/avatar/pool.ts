/**
 * The threads that draw, and what waits for them. In: a job. Out: its picture.
 *
 * A thread is given several jobs at once when many wait: a message there and back costs 50 µs on both sides, as much as a picture, and 6
 * for each of 16 that go together. One that dies, or isn't done in time, is replaced; its jobs are tried once more, each by itself, so that
 * one that can't be drawn fails alone. What a thread takes to start counts apart: on a busy machine that may be seconds.
 */

import { UserError } from "../../kit/errors.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND } from "../../kit/time.ts";
import type { Drawn, FromThread, Job } from "./job.ts";
import { drawing, refused, replaced } from "./metrics.ts";

/** How many jobs go to a thread at once. */
const MOST_AT_ONCE = 16;
/** How long a thread may take for what it was given, in milliseconds; the largest pictures take 5 each. */
const LIMIT_MS = 2 * SECOND;
/** How long a thread may take to start, and after how long another one is tried where it doesn't, in milliseconds. */
const START_LIMIT_MS = 30 * SECOND;
const START_AGAIN_MS = SECOND;
const RETRY_AFTER_SECONDS = 1;

export interface PoolOptions {
  readonly threads: number;
  /** How many jobs may wait. */
  readonly mostWaiting: number;
  readonly log: Logger;
  /** Default LIMIT_MS. */
  readonly limitMs?: number;
  /** Default START_LIMIT_MS. */
  readonly startLimitMs?: number;
  /** What a thread runs; by default worker.ts. */
  readonly program?: URL;
}

interface Waiting {
  readonly job: Job;
  /** It was given to a thread that was lost. */
  again: boolean;
  resolve(png: Uint8Array<ArrayBuffer>): void;
  reject(error: UserError): void;
}

interface Thread {
  readonly worker: Worker;
  isReady: boolean;
  busyWith: readonly Waiting[];
  timer?: ReturnType<typeof setTimeout>;
}

export class Pool {
  readonly #threads: Thread[];
  #queue: Waiting[] = [];
  #stopped = false;

  constructor(private readonly options: PoolOptions) {
    this.#threads = Array.from({ length: options.threads }, () => this.#start());
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get mostWaiting(): number {
    return this.options.mostWaiting;
  }

  get threads(): number {
    return this.#threads.length;
  }

  /** How many threads have started. */
  get ready(): number {
    return this.#threads.filter(({ isReady }) => isReady).length;
  }

  get busy(): number {
    return this.#threads.filter(({ busyWith }) => busyWith.length > 0).length;
  }

  /** @throws UserError `SERVICE_UNAVAILABLE` where too many wait, or at the stop; `TIMEOUT` or `INTERNAL` where it can't be drawn */
  draw(job: Job): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#queue.length >= this.options.mostWaiting) {
      refused.inc();
      return Promise.reject(away("too many avatars are being drawn just now"));
    }
    if (this.#stopped) return Promise.reject(away("the avatars are being stopped"));
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, again: false, resolve, reject });
      // What else comes in this turn goes together.
      if (this.#queue.length === 1) queueMicrotask(() => this.#giveOut());
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const { worker, timer, busyWith } of this.#threads) {
      clearTimeout(timer);
      worker.terminate();
      for (const { reject } of busyWith) reject(away("the avatars are being stopped"));
    }
    for (const { reject } of this.#queue.splice(0)) reject(away("the avatars are being stopped"));
  }

  #giveOut(): void {
    for (const thread of this.#threads) {
      if (this.#queue.length === 0) return;
      if (!thread.isReady || thread.busyWith.length > 0) continue;
      const share = this.#queue[0]!.again ? 1 : Math.ceil(this.#queue.length / (this.ready - this.busy));
      this.#give(thread, this.#queue.splice(0, Math.min(share, MOST_AT_ONCE)));
    }
  }

  #give(thread: Thread, jobs: readonly Waiting[]): void {
    thread.busyWith = jobs;
    thread.timer = setTimeout(() => this.#lost(thread, "took too long"), this.options.limitMs ?? LIMIT_MS);
    thread.worker.postMessage(jobs.map(({ job }) => job));
  }

  #done(thread: Thread, drawn: readonly Drawn[]): void {
    clearTimeout(thread.timer);
    const jobs = thread.busyWith;
    thread.busyWith = [];
    this.#giveOut();
    for (const [nth, { job, resolve, reject }] of jobs.entries()) {
      const one = drawn[nth];
      if (one !== undefined && "png" in one) {
        drawing.observe({ style: job.style }, one.tookMs / SECOND);
        resolve(one.png);
      } else {
        this.options.log.error("an avatar can't be drawn: {fault}", { fault: one?.fault });
        reject(new UserError("INTERNAL", "internal error"));
      }
    }
  }

  #lost(thread: Thread, why: string): void {
    if (this.#stopped || !this.#threads.includes(thread)) return;
    clearTimeout(thread.timer);
    thread.worker.terminate();
    replaced.inc();
    this.options.log.warning("a thread that draws avatars is replaced: it {why}", { why });
    if (!thread.isReady) return this.#startLater(thread);
    this.#replace(thread);
    const [failed, others] = [
      thread.busyWith.filter(({ again }) => again),
      thread.busyWith.filter(({ again }) => !again),
    ];
    for (const { reject } of failed) reject(new UserError("TIMEOUT", "the avatar could not be drawn in time"));
    for (const one of others) one.again = true;
    this.#queue.unshift(...others);
    this.#giveOut();
  }

  /** The next one would fail as well: not at once, and meanwhile nobody waits for it. */
  #startLater(thread: Thread): void {
    thread.timer = setTimeout(() => this.#replace(thread), START_AGAIN_MS);
    if (this.ready > 0) return;
    for (const { reject } of this.#queue.splice(0)) reject(away("avatars can't be drawn just now"));
  }

  #replace(thread: Thread): void {
    this.#threads[this.#threads.indexOf(thread)] = this.#start();
  }

  #start(): Thread {
    const program = this.options.program ?? new URL("worker.ts", import.meta.url);
    const worker = new Worker(program, { type: "module", name: "avatars", deno: { permissions: "none" } });
    const thread: Thread = { worker, isReady: false, busyWith: [] };
    const limitMs = this.options.startLimitMs ?? START_LIMIT_MS;
    thread.timer = setTimeout(() => this.#lost(thread, "didn't start"), limitMs);
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
      if (data === "ready") this.#started(thread);
      else this.#done(thread, data);
    };
    worker.onerror = (event) => {
      // Otherwise this process would end as well.
      event.preventDefault();
      this.#lost(thread, `died: ${event.message}`);
    };
    return thread;
  }

  #started(thread: Thread): void {
    clearTimeout(thread.timer);
    thread.isReady = true;
    this.#giveOut();
  }
}

function away(why: string): UserError {
  return new UserError("SERVICE_UNAVAILABLE", why, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}
