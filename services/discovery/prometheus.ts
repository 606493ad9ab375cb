/**
 * Where Prometheus finds whom to scrape (its HTTP service discovery): in, the live instances and the addresses of discovery itself; out, a
 * list of targets with their labels. `job` is the service; the rest says where `/metrics` is, where that isn't plain `http://HOST:PORT`.
 */

import type { Instance } from "../../kit/directory.ts";

/** Targets, each as `host:port`, that have all labels in common. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** @param discoveryUrls discovery's own nodes: they don't register with each other */
export function targetGroups(instances: readonly Instance[], discoveryUrls: readonly string[]): TargetGroup[] {
  const scraped = [
    ...discoveryUrls.map((url) => ({ service: "discovery", url })),
    ...instances.filter(({ metrics }) => metrics === true),
  ];
  const groups = new Map<string, { targets: Set<string>; labels: Record<string, string> }>();
  for (const { service, url } of scraped) {
    const { target, labels } = placeOf(service, url);
    const key = JSON.stringify(labels);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, group = { targets: new Set(), labels });
    // One that was started again is there twice, until the lease of the one before it has run out.
    group.targets.add(target);
  }
  return [...groups.values()].map(({ targets, labels }) => ({ targets: [...targets].sort(), labels }));
}

function placeOf(service: string, url: string): { target: string; labels: Record<string, string> } {
  const { protocol, hostname, port, pathname } = new URL(url);
  const isPlain = protocol === "http:";
  const path = pathname.replace(/\/+$/, "");
  return {
    target: `${hostname}:${port || (isPlain ? 80 : 443)}`,
    labels: {
      job: service,
      ...isPlain ? {} : { __scheme__: "https" },
      ...path === "" ? {} : { __metrics_path__: `${path}/metrics` },
    },
  };
}
