/**
 * Self-preservation: instances that discovery names no more, though they didn't leave. In: such an instance. Out: `drop`, as soon as it gives
 * no sign of life, or when it stays an exception.
 *
 * Where most of a service's instances vanish at once and still answer, it is discovery that can't hear them, and they are kept for as long
 * as both holds. Of few, discovery is believed: it may know why.
 */

import type { Instance } from "./directory.ts";
import { liveAmong } from "./liveness.ts";
import type { Logger } from "./log.ts";
import { delay, SECOND } from "./time.ts";

/** What vanishes within this time vanishes at once, in milliseconds: the leases of a service end up to one heartbeat apart. */
const AT_ONCE_MS = 4 * SECOND;
/** Between two questions for a sign of life, in milliseconds. */
const LOOK_EVERY_MS = 2 * SECOND;

export interface VanishedOptions {
  readonly isLive: (instance: Instance) => Promise<boolean>;
  /** All of a service, those included that vanished. */
  readonly instances: (service: string) => readonly Instance[];
  readonly log: Logger;
  readonly drop: (instances: readonly Instance[]) => void;
  readonly signal: AbortSignal;
}

export class Vanished {
  readonly #since = new Map<string, { readonly instance: Instance; readonly at: number; isKept: boolean }>();
  #looking: Promise<void> | undefined;

  constructor(private readonly options: VanishedOptions) {}

  has(id: string): boolean {
    return this.#since.has(id);
  }

  add(instance: Instance): void {
    this.#since.set(instance.id, { instance, at: Date.now(), isKept: false });
    this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  /** It is named again, or was dropped otherwise. */
  delete(id: string): void {
    this.#since.delete(id);
  }

  async stop(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { drop, isLive, signal } = this.options;
    while (this.#since.size > 0 && !signal.aborted) {
      const asked = [...this.#since.values()].map(({ instance }) => instance);
      const live = new Set(await liveAmong(asked, isLive, signal));
      if (signal.aborted) return;
      // Some may have come back meanwhile.
      const gone = asked.filter((one) => this.has(one.id) && !(live.has(one) && this.#isKept(one)));
      for (const { id } of gone) this.#since.delete(id);
      if (gone.length > 0) drop(gone);
      await delay(LOOK_EVERY_MS, signal);
    }
  }

  #isKept({ id, service }: Instance): boolean {
    const entry = this.#since.get(id)!;
    if (Date.now() - entry.at < AT_ONCE_MS) return true;
    const all = this.options.instances(service);
    const lost = all.filter((one) => this.has(one.id)).length;
    const isMost = lost * 2 > all.length;
    if (isMost && !entry.isKept) {
      const counts = { service, lost, all: all.length };
      this.options.log.warning("discovery has lost {lost} of {all} instances of {service} that answer: kept", counts);
    }
    entry.isKept = isMost;
    return isMost;
  }
}
