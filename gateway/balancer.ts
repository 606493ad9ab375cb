/**
 * Has a service asked: by one of its instances (upstream/choice.ts) through that one's breaker (upstream/endpoint.ts), and where that
 * gives no answer, by another one, as far as the budget for it goes (upstream/retry_budget.ts). It costs 0.5 µs a call more than without.
 */

import type { Directory, Instance } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { isLive } from "../kit/liveness.ts";
import { SECOND } from "../kit/time.ts";
import { type CallFigures, NO_CALLS } from "./upstream/call_times.ts";
import { type Balancing, Choice } from "./upstream/choice.ts";
import { type BreakerState, type Endpoint, type EndpointOptions, isAway } from "./upstream/endpoint.ts";
import { countRetry, showEndpoints } from "./upstream/metrics.ts";

export { isAway };

/** How many instances one call is asked of at most. */
const MOST_ATTEMPTS = 3;
/** How many services are remembered. */
const MOST_SERVICES = 1_000;
const SLOW_START_MS = 10 * SECOND;
const NONE: readonly Endpoint[] = [];

export interface BalancerOptions {
  /** Default `least-pending`. */
  readonly balancing?: Balancing;
  /** How long a new instance takes until it gets all of its turns, in milliseconds; default 10,000, and 0 is none. */
  readonly slowStartMs?: number;
  /** How an instance is asked for a sign of life; default `GET /health/live`. */
  readonly isLive?: (instance: Instance) => Promise<boolean>;
}

/** An instance as this gateway sees it. */
export interface Seen {
  /** `DOWN`: it gave no answer and then no sign of life. */
  readonly health: "UP" | "DOWN";
  readonly breaker: BreakerState;
}

export class Balancer {
  readonly #choices = new Map<string, Choice>();
  readonly #stop = new AbortController();
  readonly #balancing: Balancing;
  readonly #options: EndpointOptions;

  constructor(private readonly directory: Directory, options: BalancerOptions = {}) {
    this.#balancing = options.balancing ?? "least-pending";
    this.#options = {
      slowStartMs: options.slowStartMs ?? SLOW_START_MS,
      isLive: options.isLive ?? isLive,
      isListed: ({ service, id }) => directory.instances(service).some((one) => one.id === id),
      stopping: this.#stop.signal,
    };
  }

  /** Has its metrics show this balancer's endpoints. */
  start(): void {
    showEndpoints(() => this.endpoints());
  }

  stop(): void {
    this.#stop.abort();
  }

  /**
   * What `ask` answers of one instance, or, where that gives no answer, of another, within `limitMs` in all, of which each that is left
   * gets its share: one that is frozen must not use up the time of the others. With `repeat` false only one is asked.
   * @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT` of the last one; any other error at once
   */
  async ask<T>(
    service: string,
    limitMs: number,
    ask: (instance: Instance, limitMs: number) => Promise<T>,
    repeat = true,
  ): Promise<T> {
    const choice = this.#choice(service);
    choice.budget.asked();
    const giveUpAt = Date.now() + limitMs;
    let tried = NONE;
    let last: unknown;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const leftMs = giveUpAt - Date.now();
      const endpoint = leftMs > 0 ? choice.next(tried, repeat) : undefined;
      if (endpoint === undefined) break;
      const mayFollow = repeat && choice.budget.hasSome
        ? Math.min(choice.count(tried), MOST_ATTEMPTS + 1 - attempt)
        : 1;
      try {
        return await endpoint.call(ask, leftMs / Math.max(1, mayFollow));
      } catch (error) {
        if (!isAway(error)) throw error;
        last = error;
        tried = [...tried, endpoint];
      }
      if (!repeat || attempt === MOST_ATTEMPTS || choice.count(tried) === 0) break;
      const allowed = choice.budget.take();
      countRetry(service, allowed);
      if (!allowed) break;
    }
    throw last ?? new UserError("SERVICE_UNAVAILABLE", `the service ${service} is away just now`);
  }

  /** A stream of the instance broke off. */
  failed(instance: Instance): void {
    this.#endpoint(instance)?.failed(new UserError("SERVICE_UNAVAILABLE", "a stream broke off"));
  }

  seen(instance: Instance): Seen {
    const endpoint = this.#endpoint(instance);
    return { health: endpoint?.isSilent ? "DOWN" : "UP", breaker: endpoint?.breaker ?? "CLOSED" };
  }

  /** How the instance answers what this gateway asks of it, whatever that is. */
  calls(instance: Instance): CallFigures {
    return this.#endpoint(instance)?.times.figures() ?? NO_CALLS;
  }

  /** Of every service that discovery names. */
  endpoints(): Endpoint[] {
    return [...new Set(this.directory.all().map(({ service }) => service))].flatMap((service) =>
      this.#choice(service).endpoints
    );
  }

  #endpoint({ service, id }: Instance): Endpoint | undefined {
    return this.#choice(service).endpoints.find(({ instance }) => instance.id === id);
  }

  #choice(service: string): Choice {
    let choice = this.#choices.get(service);
    if (choice === undefined) {
      if (this.#choices.size >= MOST_SERVICES) this.#choices.delete(this.#choices.keys().next().value!);
      this.#choices.set(service, choice = new Choice(this.#balancing, this.#options));
    }
    choice.update(this.directory.instances(service));
    return choice;
  }
}
