/** What discovery measures. */

import { counter, gauge, startAtZero } from "../../kit/metrics.ts";
import { fewServices } from "../../kit/metrics/few.ts";
import { PORT_OFFSETS } from "../../kit/ports.ts";
import type { Registry } from "./registry.ts";
import type { Watchers } from "./watchers.ts";

const expired = counter("notifyx_discovery_leases_expired_total");

/** An instance was dropped since it hadn't been heard of. */
export function countExpired(service: string): void {
  expired.inc({ service: fewServices.of(service) });
}

export function measureDiscovery(registry: Pick<Registry, "all">, watchers: Pick<Watchers, "count">): void {
  // Discovery's own nodes don't register.
  const ours = Object.keys(PORT_OFFSETS).filter((kind) => kind !== "discovery").map((kind) => fewServices.of(kind));
  startAtZero(expired, "service", ours);
  gauge("notifyx_discovery_instances", (instances) => {
    instances.reset();
    // Of ours also where there is none: that nobody is there is what one wants to see.
    for (const service of ours) instances.set({ service }, 0);
    for (const { service } of registry.all()) instances.inc({ service: fewServices.of(service) });
  });
  gauge("notifyx_discovery_watchers", () => watchers.count);
}
