/** How long things may take, and how tries are spread. Nothing here reads the clock of the day, which may be set at any time. */

import { isPassing, NotifyxError } from "./errors.ts";

export interface Timing {
  /** The first wait before another try, and the longest, in milliseconds; each wait is twice the last one, less up to half by chance. Default [500, 20000] */
  readonly retryMs: readonly [number, number];
  /** A socket on which nothing has come for so long is asked for a sign of life, in milliseconds. Default 15000 */
  readonly pingMs: number;
  /** How long an answer, a sign of life or a connection may take, in milliseconds. Default 10000 */
  readonly limitMs: number;
}

export const TIMING: Timing = { retryMs: [500, 20_000], pingMs: 15_000, limitMs: 10_000 };

export function backoffMs(failures: number, [first, most]: Timing["retryMs"]): number {
  return Math.min(most, first * 2 ** Math.min(failures, 30)) * (1 - Math.random() / 2);
}

/** Waits that end early when there is a reason to try now: the network or the socket is back. */
export class Waits {
  readonly #ends = new Set<() => void>();

  /** Resolves after `ms`, at {@link end}, or when `signal` aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#ends.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#ends.add(done);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }

  end(): void {
    for (const done of [...this.#ends]) done();
  }
}

/** Tries again while what goes wrong passes. @throws what doesn't; the signal's reason once it aborts */
export async function untilDone<T>(
  attempt: () => Promise<T>,
  { timing, waits, signal, passes = isPassing }: {
    readonly timing: Timing;
    readonly waits: Waits;
    readonly signal: AbortSignal;
    readonly passes?: (error: unknown) => boolean;
  },
): Promise<T> {
  for (let failures = 0;; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!passes(error)) throw error;
      await waits.wait(pauseMs(error as NotifyxError, failures, timing), signal);
    }
  }
}

export function pauseMs({ retryAfterMs }: NotifyxError, failures: number, { retryMs }: Timing): number {
  return Math.max(retryAfterMs, backoffMs(failures, retryMs));
}

/** @throws NotifyxError `TIMEOUT` */
export function within<T>(what: string, ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotifyxError("TIMEOUT", `${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
