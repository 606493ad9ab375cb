/** When each part of a start was done, for `--timings`. */

import { SECOND } from "../kit/time.ts";

export class Timings {
  readonly #parts: { part: string; from: number; to: number }[] = [];

  /** `work`, with its beginning and end noted. */
  async measure<T>(part: string, work: Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work;
    this.#parts.push({ part, from, to: performance.now() });
    return result;
  }

  /** A line for each part, in the order in which they were done, in seconds since the process started. */
  lines(): string[] {
    const seconds = (ms: number) => (ms / SECOND).toFixed(2).padStart(6);
    return [
      "      from     to   took",
      ...this.#parts.map(({ part, from, to }) => `    ${seconds(from)} ${seconds(to)} ${seconds(to - from)}  ${part}`),
    ];
  }
}
