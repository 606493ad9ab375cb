/**
 * Figures of a database that several gauges show: read once at each look at the metrics, within a limit of time. While they can't be read
 * each gauge keeps its last value: metrics are asked for when something is wrong.
 */

import { SECOND, withTimeLimit } from "../time.ts";

const READ_LIMIT_MS = 2 * SECOND;

export class Figures<T> {
  #read: (() => Promise<T>) | undefined;
  #reading: Promise<T> | undefined;

  /** Where they are read; until then the gauges show nothing. */
  from(read: () => Promise<T>): void {
    this.#read = read;
  }

  /** For a gauge: one of them. */
  of(value: (figures: T) => number): () => Promise<number | void> {
    return async () => {
      if (this.#read === undefined) return;
      try {
        return value(await withTimeLimit("the figures", READ_LIMIT_MS, this.#readOnce(this.#read)));
      } catch {
        // The gauge stays as it is.
      }
    };
  }

  /** What is read already, if that is on its way: also from a look before, so that a database that is frozen isn't asked again and again. */
  #readOnce(read: () => Promise<T>): Promise<T> {
    if (this.#reading !== undefined) return this.#reading;
    const reading = this.#reading = read();
    const ended = () => this.#reading = undefined;
    reading.then(ended, ended);
    return reading;
  }
}
