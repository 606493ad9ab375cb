/** Chooses an instance of a service: in turn, passing over those that could not be reached a moment ago while others can. */

import type { Directory, Instance } from "../kit/directory.ts";
import { UserError } from "../kit/errors.ts";
import { SECOND } from "../kit/time.ts";

/** How long an instance that could not be reached is passed over, in milliseconds: discovery drops it after its TTL. */
const PASS_OVER_MS = 2 * SECOND;

export class Balancer {
  readonly #turns = new Map<string, number>();
  readonly #failedAt = new Map<string, number>();

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
   * What `ask` answers of the instance whose turn it is, or, where that can't be reached, of the next, within `limitMs` in all.
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
    for (const instance of this.inTurn(service)) {
      const leftMs = giveUpAt - Date.now();
      if (leftMs <= 0) break;
      try {
        return await ask(instance, leftMs);
      } catch (error) {
        if (!isAway(error)) throw error;
        this.failed(instance);
        last = error;
        if (!repeat) break;
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

  failed(instance: Instance): void {
    this.#failedAt.set(instance.id, Date.now());
    if (this.#failedAt.size > 1_000) this.#failedAt.delete(this.#failedAt.keys().next().value!);
  }

  #isPassedOver({ id }: Instance): boolean {
    const failedAt = this.#failedAt.get(id);
    if (failedAt === undefined) return false;
    if (Date.now() - failedAt < PASS_OVER_MS) return true;
    this.#failedAt.delete(id);
    return false;
  }
}

/** Whether an error says that nobody answered, and not what is wrong with the question. */
export function isAway(error: unknown): boolean {
  return error instanceof UserError && (error.code === "SERVICE_UNAVAILABLE" || error.code === "TIMEOUT");
}
