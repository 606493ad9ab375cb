/** Sends a gateway's sockets elsewhere at its stop: a batch now and then, so that they don't all come back at once. */

import { delay } from "../../kit/time.ts";

export interface DrainOptions {
  /** How many sockets are closed in each interval; more where all of them would not be closed in time otherwise. */
  readonly batch: number;
  readonly intervalMs: number;
  /** All are closed within this time. */
  readonly withinMs: number;
}

export interface Drained {
  drain(): void;
}

/** Closes each of `sockets` at a random moment of its batch's interval; resolves when the last has been told. */
export async function drainInBatches(sockets: readonly Drained[], options: DrainOptions): Promise<void> {
  const { intervalMs, size } = plan(sockets.length, options);
  for (let begin = 0; begin < sockets.length; begin += size) {
    const moments = sockets.slice(begin, begin + size)
      .map((socket) => ({ socket, atMs: Math.random() * intervalMs }))
      .sort((one, other) => one.atMs - other.atMs);
    const startedAt = performance.now();
    for (const { socket, atMs } of moments) {
      const waitMs = atMs - (performance.now() - startedAt);
      // Timers are no finer than this.
      if (waitMs > 1) await delay(waitMs);
      socket.drain();
    }
    await delay(Math.max(0, intervalMs - (performance.now() - startedAt)));
  }
}

/** The batches that fit. One that is not full takes its share of the interval alone: who stops a quiet gateway doesn't wait. */
export function plan(sockets: number, { batch, intervalMs, withinMs }: DrainOptions) {
  const interval = Math.min(intervalMs, withinMs);
  const intervals = interval === 0 ? 1 : Math.max(1, Math.floor(withinMs / interval));
  const size = Math.max(batch, Math.ceil(sockets / intervals));
  return { size, intervalMs: sockets < size ? interval * sockets / size : interval };
}
