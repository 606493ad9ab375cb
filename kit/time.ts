/** Durations in milliseconds, so that a limit reads as `10 * SECOND`, and the one way of giving an await a limit. */

export const MILLISECOND = 1;
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Thrown by {@link withTimeLimit}; `what` names the thing that was waited for. */
export class TimeLimitError extends Error {
  override readonly name = "TimeLimitError";
  constructor(readonly what: string, readonly limitMs: number) {
    super(`${what} took longer than ${limitMs} ms`);
  }
}

/** Resolves after `ms` milliseconds, or at once when `signal` aborts; never rejects. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** `promise`, or a {@link TimeLimitError} after `limitMs` milliseconds. What goes on behind it is the caller's to stop. */
export function withTimeLimit<T>(what: string, limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError(what, limitMs)), limitMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** A wait that doubles from `firstMs` up to `mostMs`, of which a random half is taken off so that many don't come back together. */
export function backoffMs(attempt: number, firstMs: number, mostMs: number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
  return full / 2 + Math.random() * full / 2;
}
