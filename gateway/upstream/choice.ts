/** The endpoints of one service, and whose turn it is. In: what discovery names. Out: the endpoint to ask next. */

import type { Instance } from "../../kit/directory.ts";
import { Endpoint, type EndpointOptions } from "./endpoint.ts";
import { RetryBudget } from "./retry_budget.ts";

/**
 * `round-robin`: in turn. `least-pending`: of the one whose turn it is and another one, drawn at random, that at which less waits ("power of
 * two choices"): a slow or frozen one gets little more to do, and gateways that know nothing of each other don't all choose the same.
 */
export type Balancing = "round-robin" | "least-pending";

export class Choice {
  readonly budget = new RetryBudget();
  #endpoints: readonly Endpoint[] = [];
  #named: readonly Instance[] = [];
  #turn = 0;

  constructor(private readonly balancing: Balancing, private readonly options: EndpointOptions) {}

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Takes over what discovery names now; the same list again costs nothing. */
  update(named: readonly Instance[]): void {
    if (named === this.#named) return;
    const known = new Map(this.#endpoints.map((endpoint) => [endpoint.instance.id, endpoint]));
    // Those that are there when a gateway starts are new to it alone.
    const isNew = known.size > 0;
    this.#endpoints = named.map((instance) => {
      const endpoint = known.get(instance.id) ?? new Endpoint(instance, isNew, this.options);
      endpoint.instance = instance;
      return endpoint;
    });
    this.#named = named;
  }

  /** How many could be asked now that are not in `tried`. */
  count(tried: readonly Endpoint[]): number {
    let count = 0;
    for (const one of this.#endpoints) if ((one.isClosed || one.isTrialDue) && !tried.includes(one)) count++;
    return count;
  }

  /**
   * The endpoint to ask next, none of `tried`. One whose trial is due is tried by a call that `mayRepeat`, or where there is no other.
   */
  next(tried: readonly Endpoint[], mayRepeat: boolean): Endpoint | undefined {
    const all = this.#endpoints;
    if (all.length === 1) return isOpen(all[0]!) || tried.length > 0 ? undefined : all[0];
    let trial: Endpoint | undefined;
    for (const one of all) if (one.isTrialDue && !tried.includes(one)) trial = one;
    if (trial !== undefined && mayRepeat) return trial;
    // A repeated call takes nobody's turn.
    if (tried.length === 0) this.#turn = (this.#turn + 1) % Math.max(1, all.length);
    const turn = this.#turn;
    const first = this.#from(turn, tried);
    if (this.balancing === "round-robin" || first === undefined) return first ?? trial;
    const second = this.#from(turn + 1 + Math.floor(Math.random() * (all.length - 1)), tried);
    return second !== undefined && second.pending < first.pending ? second : first;
  }

  /** The first that takes its turn, from `start` on; where none does, a new one whose turn it isn't yet. */
  #from(start: number, tried: readonly Endpoint[]): Endpoint | undefined {
    const all = this.#endpoints;
    let last: Endpoint | undefined;
    for (let at = 0; at < all.length; at++) {
      const one = all[(start + at) % all.length]!;
      if (!one.isClosed || tried.includes(one)) continue;
      if (one.takesTurn()) return one;
      last ??= one;
    }
    return last;
  }
}

function isOpen(endpoint: Endpoint): boolean {
  return !endpoint.isClosed && !endpoint.isTrialDue;
}
