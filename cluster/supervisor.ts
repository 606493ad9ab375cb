/**
 * Keeps one process running: starts it, says when it is ready, starts it again when it dies, stops it when asked.
 *
 * idle → starting → ready → (dies) waiting → starting → …; and from anywhere → stopping → stopped.
 * A process that has never been ready and says that its settings are wrong, or dies again and again, fails the start.
 */

import { backoffMs, delay, SECOND } from "../kit/time.ts";
import { TextLineStream } from "./lines.ts";
import type { Output } from "./output.ts";

/** The first restart comes at once, the next ones after waits that double from the first to the second, in milliseconds. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5 * SECOND;
/** Who was up this long starts counting anew. */
const STEADY_MS = 5 * SECOND;
/** So often a process may die before it was ever ready. */
const MOST_FAILED_STARTS = 5;
const PROBE_EVERY_MS = 40;
/** What a process exits with when a setting is wrong (kit/config.ts); trying again would not help. */
const EXIT_CONFIG = 78;

export interface ProcessOptions {
  /** Stands before each of its lines. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Joins our own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ready when this URL answers 200, or when it prints this line; undefined is at once. */
  readonly ready?: { readonly url: string } | { readonly line: string };
  /** Sees each line of its stdout first; true means that it has dealt with it. */
  readonly onLine?: (line: string) => boolean;
  /** What ends it at once; default SIGKILL. */
  readonly killSignal?: Deno.Signal;
  readonly output: Output;
}

export type ProcessState = "idle" | "starting" | "ready" | "waiting" | "stopping" | "stopped" | "failed";

export class SupervisedProcess {
  #state: ProcessState = "idle";
  #child: Deno.ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #attempt = 0;
  #starts = 0;
  #wasReady = false;
  #running: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  readonly #firstReady = Promise.withResolvers<void>();

  constructor(readonly options: ProcessOptions) {
    this.#firstReady.promise.catch(() => {}); // Whoever waits for it hears of it.
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How many times it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** Starts it, and keeps it running from then on. Resolves when it is ready for the first time; rejects if it fails to start. */
  start(): Promise<void> {
    this.#running ??= this.#keepRunning();
    return this.#firstReady.promise;
  }

  /** Asks it to stop, by SIGTERM and the end of its stdin, and kills it if it hasn't after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    this.#setStopping();
    const child = this.#child;
    if (child !== undefined) {
      signal(child, "SIGTERM");
      child.stdin.close().catch(() => {}); // It may have ended meanwhile.
      const timer = setTimeout(() => {
        this.options.output.line(
          this.options.name,
          `did not stop within ${(limitMs / SECOND).toFixed(1)} s and is killed`,
        );
        signal(child, this.options.killSignal ?? "SIGKILL");
      }, limitMs);
      await this.#ended;
      clearTimeout(timer);
    }
    await this.#running;
    this.#state = "stopped";
  }

  /** Ends it now. */
  kill(): void {
    this.#setStopping();
    if (this.#child !== undefined) signal(this.#child, this.options.killSignal ?? "SIGKILL");
  }

  #setStopping(): void {
    this.#state = "stopping";
    this.#stopping.abort();
    this.#firstReady.reject(new Error(`${this.options.name} was stopped before it was ready`));
  }

  async #keepRunning(): Promise<void> {
    const { name, output } = this.options;
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      const { code, signal } = await this.#runOnce();
      if (this.#stopping.signal.aborted) return;

      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      if (!this.#wasReady && (code === EXIT_CONFIG || this.#starts >= MOST_FAILED_STARTS)) {
        this.#state = "failed";
        const tries = this.#starts === 1 ? "" : ` for the ${this.#starts}th time`;
        this.#firstReady.reject(new Error(`${name} ${how} before it was ready${tries}`));
        return;
      }
      if (performance.now() - startedAt >= STEADY_MS) this.#attempt = 0;
      const wait = this.#attempt === 0 ? 0 : backoffMs(this.#attempt - 1, FIRST_WAIT_MS, LONGEST_WAIT_MS);
      this.#attempt++;
      this.#state = "waiting";
      output.line(name, `${how}; starting it again${wait === 0 ? "" : ` in ${(wait / SECOND).toFixed(1)} s`}`);
      await delay(wait, this.#stopping.signal);
    }
  }

  async #runOnce(): Promise<{ code: number; signal: Deno.Signal | null }> {
    const { program, args, env, ready } = this.options;
    this.#state = "starting";
    this.#starts++;
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args: [...args],
        env: { ...env },
        // Held open while we live: when we are killed it ends, and so does the process.
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
        // A session of its own: a terminal's Ctrl-C is for us, who stop everything in order.
        detached: true,
      }).spawn();
    } catch (error) {
      this.options.output.line(
        this.options.name,
        `can't be started: ${error instanceof Error ? error.message : error}`,
      );
      return { code: -1, signal: null };
    }
    this.#child = child;
    const over = new AbortController();
    const lines = [this.#follow(child.stdout, true), this.#follow(child.stderr, false)];
    this.#ended = child.status.then(() => over.abort());
    if (ready === undefined) this.#setReady();
    else if ("url" in ready) this.#probe(ready.url, over.signal);

    const status = await child.status;
    this.#child = undefined;
    child.stdin.close().catch(() => {});
    // What it left running may hold its stdout open; its own last lines are there by now.
    await Promise.race([Promise.all(lines), delay(100)]);
    return status;
  }

  async #follow(stream: ReadableStream<Uint8Array<ArrayBuffer>>, isStdout: boolean): Promise<void> {
    const { name, ready, onLine, output } = this.options;
    for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      if (isStdout && ready !== undefined && "line" in ready && line === ready.line) this.#setReady();
      else if (!isStdout || onLine?.(line) !== true) output.line(name, line);
    }
  }

  async #probe(url: string, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      try {
        const response = await fetch(url, { signal: AbortSignal.any([over, AbortSignal.timeout(2 * SECOND)]) });
        await response.body?.cancel();
        if (response.ok) return this.#setReady();
      } catch {
        // Not listening yet.
      }
      await delay(PROBE_EVERY_MS, over);
    }
  }

  #setReady(): void {
    if (this.#state !== "starting") return;
    this.#state = "ready";
    this.#wasReady = true;
    this.#firstReady.resolve();
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended.
  }
}
