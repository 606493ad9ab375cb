/** Takes the figures of this process every five seconds, whoever looks: each is one point of the history. In: the registry of metrics. */

import type { Registry } from "prom-client";
import type { MetricName } from "../metrics/catalogue.ts";
import { delay, SECOND, withTimeLimit } from "../time.ts";
import type { Figure, MetricValue, Read } from "./figures.ts";
import { History, STEP_SECONDS, stepOf } from "./history.ts";

/** How long one metric may take: some ask the database. In milliseconds. */
const READ_LIMIT_MS = 2 * SECOND;

/** A figure at which something is wrong, and what. */
export interface Wrong {
  readonly key: string;
  readonly words: string;
}

export class Sampler {
  readonly history: History;
  readonly #followed: readonly { figure: Figure; follow: ReturnType<Figure["of"]["follow"]> }[];
  readonly #metrics: readonly MetricName[];
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #wrong: readonly Wrong[] = [];
  #tookAt = performance.now();

  /** `onStep` is called behind each point, and not waited for. */
  constructor(
    private readonly registry: Registry,
    figures: readonly Figure[],
    private readonly onStep: () => void = () => {},
  ) {
    this.history = new History(figures.map(({ key }) => key));
    this.#followed = figures.map((figure) => ({ figure, follow: figure.of.follow() }));
    this.#metrics = [...new Set(figures.flatMap(({ of }) => of.metrics))];
  }

  /** By the last point. */
  get wrong(): readonly Wrong[] {
    return this.#wrong;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** One point, as of now. */
  async take(): Promise<void> {
    const step = stepOf(Date.now());
    const values = new Map<MetricName, readonly MetricValue[]>();
    await Promise.all(this.#metrics.map(async (name) => {
      const metric = this.registry.getSingleMetric(name);
      if (metric === undefined) return;
      try {
        const { values: read } = await withTimeLimit(name, READ_LIMIT_MS, metric.get());
        values.set(name, read as readonly MetricValue[]);
      } catch {
        // Unknown at this point.
      }
    }));
    const now = performance.now();
    const seconds = (now - this.#tookAt) / SECOND;
    this.#tookAt = now;
    const read: Read = (name) => values.get(name);
    this.#wrong = this.#followed.flatMap(({ figure: { key, wrong }, follow }) => {
      const value = follow(read, seconds);
      this.history.put(step, key, value);
      const words = value === null ? undefined : wrong?.(value);
      return words === undefined ? [] : [{ key, words }];
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const stepMs = STEP_SECONDS * SECOND;
    // At once, so that a page that is opened at the start has figures, and what counters rise by is known five seconds later.
    while (!signal.aborted) {
      await this.take();
      if (signal.aborted) return;
      this.onStep();
      // A timer may be early by a part of a millisecond, which would be the same step again.
      await delay(stepMs - Date.now() % stepMs + 1, signal);
    }
  }
}
