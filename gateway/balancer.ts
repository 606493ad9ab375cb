/** Chooses an instance of a service: in turn, passing over those that could not be reached a moment ago while others can. */

import type { Directory, Instance } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { SECOND } from "../kit/time.ts";

/** How long an instance that could not be reached is passed over, in milliseconds; twice as long each time until it answers. */
const PASS_OVER_MS = SECOND;
const LONGEST_PASS_OVER_MS = 16 * SECOND;
/** How many failed instances are remembered. */
const MOST_FAILED = 1_000;

export class Balancer {
  readonly #turns = new Map<string, number>();
  readonly #failures = new Map<string, { until: number; times: number }>();

  constructor(private readonly directory: Directory) {}

  /** The service's instances, the one whose turn it is first. */
  inTurn(service: string): Instance[] {
    const all = this.directory.instances(service);
    const reachable = all.filter((instance) => !this.#isPassedOver(instance));
    const choice = reachable.length > 0 ? reachable : all;
    if (choice.length < 2) return choice;
    const turn = (this.#turns.get(service) ?? 0) % choice.length;
    this.#turns.set(service, turn + 1);
    return [...choice.slice(turn), ...choice.slice(0, turn)];
  }

  /**
   * What `ask` answers of the instance whose turn it is, or, where that can't be reached, of the next, within `limitMs` in all, of which
   * each that is left gets its share: one that is frozen must not use up the time of the others.
   * With `repeat` false only one is asked. @throws UserError `SERVICE_UNAVAILABLE` or `TIMEOUT` of the last one; any other error at once
   */
  async ask<T>(
    service: string,
    limitMs: number,
    ask: (instance: Instance, limitMs: number) => Promise<T>,
    repeat = true,
  ): Promise<T> {
    const giveUpAt = Date.now() + limitMs;
    let last: unknown;
    const choice = this.inTurn(service).slice(0, repeat ? undefined : 1);
    for (const [index, instance] of choice.entries()) {
      const leftMs = giveUpAt - Date.now();
      if (leftMs <= 0) break;
      try {
        const answer = await ask(instance, leftMs / (choice.length - index));
        this.#failures.delete(instance.id);
        return answer;
      } catch (error) {
        if (!isAway(error)) throw error;
        this.failed(instance);
        last = error;
      }
    }
    throw last ?? new UserError("SERVICE_UNAVAILABLE", `the service ${service} is away just now`);
  }

  /** @throws UserError `SERVICE_UNAVAILABLE` when there is none */
  pick(service: string): Instance {
    const [instance] = this.inTurn(service);
    if (instance === undefined) throw new UserError("SERVICE_UNAVAILABLE", `the service ${service} is away just now`);
    return instance;
  }

  failed({ id }: Instance): void {
    const times = (this.#failures.get(id)?.times ?? 0) + 1;
    this.#failures.set(id, {
      times,
      until: Date.now() + Math.min(LONGEST_PASS_OVER_MS, PASS_OVER_MS * 2 ** (times - 1)),
    });
    if (this.#failures.size > MOST_FAILED) this.#failures.delete(this.#failures.keys().next().value!);
  }

  #isPassedOver({ id }: Instance): boolean {
    return Date.now() < (this.#failures.get(id)?.until ?? 0);
  }
}

/** Whether an error says that nobody answered, and not what is wrong with the question. */
export function isAway(error: unknown): boolean {
  return error instanceof UserError && (error.code === "SERVICE_UNAVAILABLE" || error.code === "TIMEOUT");
}
