/**
 * The live instances, in memory: each holds a lease that its heartbeats renew, and is dropped when the lease runs out.
 * Nothing is kept on disk: after a restart every process says within a heartbeat that it is there.
 *
 * Changes are told to `onChange` as they happen: `up` for an instance that is new or has changed (not at each heartbeat), `gone` for
 * one that left or was dropped. See watchers.ts, which passes them on.
 */

import type { Instance } from "../../kit/directory.ts";
import { UserError } from "../../kit/errors.ts";
import { SECOND } from "../../kit/time.ts";

/** What an instance says of itself. */
export interface Announcement {
  readonly service: string;
  readonly url: string;
  readonly participates: readonly string[];
  readonly subgraph: boolean;
  readonly schemaHash?: string;
  readonly version?: string;
  /** Whether it serves `/metrics` for Prometheus. */
  readonly metrics?: boolean;
}

export type Change =
  | { readonly event: "up"; readonly data: Instance }
  /** `expired`: it didn't leave, it just hasn't been heard of. */
  | {
    readonly event: "gone";
    readonly data: { readonly id: string; readonly service: string; readonly expired?: true };
  };

export interface RegistryOptions {
  /** How long an instance stays without a heartbeat, in milliseconds, default 10,000; it is dropped from discovery then. */
  readonly leaseMs?: number;
  /** The most instances, default 10,000; a further one gets `TOO_MANY_REQUESTS`. */
  readonly instanceLimit?: number;
  /** A clock in milliseconds that never jumps; default `performance.now`. */
  readonly now?: () => number;
  readonly onChange?: (change: Change) => void;
}

/** The most characters that all instances may have as JSON: a view is one event of the watch, and readers take 4 MiB of one. */
const VIEW_LIMIT = 3_500_000;
/**
 * How much time may pass at once for a lease, in milliseconds. When this process was frozen or starved, nobody could renew a lease;
 * that time must not count, or its first look afterwards would drop everyone.
 */
const STEP_LIMIT_MS = SECOND;

interface Lease {
  instance: Instance;
  renewedAt: number;
  size: number;
}

export interface View {
  readonly services: { readonly name: string; readonly instances: readonly Instance[] }[];
}

export class Registry {
  readonly leaseMs: number;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #onChange: (change: Change) => void;
  readonly #leases = new Map<string, Lease>();
  #size = 0;
  /** The time for which this process was there to hear heartbeats; leases are measured by it. */
  #awakeMs = 0;
  #lookedAt: number;

  /** @throws TypeError for an option that is not a positive number */
  constructor(options: RegistryOptions = {}) {
    this.leaseMs = positive("leaseMs", options.leaseMs ?? 10 * SECOND);
    this.#limit = positive("instanceLimit", options.instanceLimit ?? 10_000);
    this.#now = options.now ?? (() => performance.now());
    this.#onChange = options.onChange ?? (() => {});
    this.#lookedAt = this.#now();
  }

  get count(): number {
    return this.#leases.size;
  }

  /** Registers an instance or renews its lease. @throws UserError `TOO_MANY_REQUESTS` when there is no room for it */
  renew(id: string, announcement: Announcement): void {
    this.#advance();
    const before = this.#leases.get(id);
    const heardAt = new Date().toISOString();
    if (before !== undefined && isSame(before.instance, announcement)) {
      before.renewedAt = this.#awakeMs;
      before.instance = { ...before.instance, lastHeartbeatAt: heardAt };
      return;
    }
    const startedAt = before?.instance.startedAt ?? heardAt;
    const { service, url, participates, subgraph, schemaHash, version, metrics } = announcement;
    const instance: Instance = {
      id,
      service,
      url,
      participates: [...participates],
      subgraph,
      schemaHash,
      version,
      metrics,
      startedAt,
      lastHeartbeatAt: heardAt,
    };
    const size = JSON.stringify(instance).length;
    const newSize = this.#size - (before?.size ?? 0) + size;
    if ((before === undefined && this.#leases.size >= this.#limit) || newSize > VIEW_LIMIT) {
      throw new UserError("TOO_MANY_REQUESTS", "discovery is full", { retryAfterSeconds: this.leaseMs / SECOND });
    }
    this.#size = newSize;
    this.#leases.set(id, { instance, renewedAt: this.#awakeMs, size });
    this.#onChange({ event: "up", data: instance });
  }

  remove(id: string): void {
    this.#drop(id, {});
  }

  #drop(id: string, why: { readonly expired?: true }): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    this.#leases.delete(id);
    this.#size -= lease.size;
    this.#onChange({ event: "gone", data: { id, service: lease.instance.service, ...why } });
  }

  /** Drops those whose lease ran out; returns their ids. */
  dropExpired(): string[] {
    this.#advance();
    const expired: string[] = [];
    for (const [id, lease] of this.#leases) {
      if (this.#awakeMs - lease.renewedAt >= this.leaseMs) expired.push(id);
    }
    for (const id of expired) this.#drop(id, { expired: true });
    return expired;
  }

  /** The live instances of one service, oldest first. */
  instances(service: string): Instance[] {
    return this.all().filter((instance) => instance.service === service);
  }

  all(): Instance[] {
    return [...this.#leases.values()].map((lease) => lease.instance);
  }

  /** Everything, by service in the order of their names. */
  view(): View {
    const services = Map.groupBy(this.all(), (instance) => instance.service);
    const names = [...services.keys()].sort();
    return { services: names.map((name) => ({ name, instances: services.get(name)! })) };
  }

  #advance(): void {
    const now = this.#now();
    this.#awakeMs += Math.min(Math.max(now - this.#lookedAt, 0), STEP_LIMIT_MS);
    this.#lookedAt = now;
  }
}

function isSame(instance: Instance, { participates, ...announced }: Announcement): boolean {
  return (["service", "url", "subgraph", "schemaHash", "version", "metrics"] as const)
    .every((member) => instance[member] === announced[member]) &&
    instance.participates.length === participates.length &&
    instance.participates.every((operation, at) => operation === participates[at]);
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new TypeError(`${name} takes a positive number, not ${value}`);
}
