/**
 * What the gateway's status page shows: the whole system, as this gateway sees it and as each instance says of itself; how the graph has
 * changed; delivery; and transactions.
 */

import type { StatusPage, StatusSection } from "../kit/status_page.ts";
import type { Hub } from "./delivery/hub.ts";
import { readMetrics } from "./instance_metrics.ts";
import type { Overview } from "./overview.ts";
import { type ConsoleParts, transactionSections } from "./two_phase/console.ts";
import { upstreamSection } from "./upstream/status_section.ts";

/** How many instances are asked and shown, and how many schema changes are. */
const SHOWN_INSTANCES = 100;
const SHOWN_CHANGES = 30;

const ASKED = [
  "notifyx_process_resident_memory_bytes",
  "notifyx_http_requests_in_flight",
  "notifyx_delivery_sockets",
  "notifyx_graphql_errors_total",
] as const;

export function statusSections(overview: Overview, hub: Hub, transactions: ConsoleParts): StatusPage {
  return [
    () => instances(overview, transactions.secret),
    () => graph(overview),
    () => ({
      title: "Schema changes",
      columns: ["when", "", "what"],
      rows: overview.schemaChanges(SHOWN_CHANGES).map(({ at, criticality, message }) => [at, criticality, message]),
    }),
    () => upstreamSection(transactions.balancer),
    () => ({
      title: "Delivery",
      columns: ["feed position", "subscriptions"],
      rows: [[hub.position ?? "not heard yet", hub.size]],
    }),
    ...transactionSections(transactions),
  ];
}

async function instances(overview: Overview, secret: string): Promise<StatusSection> {
  const all = overview.services().flatMap((service) => service.instances);
  const rows = await Promise.all(
    all.slice(0, SHOWN_INSTANCES).map(async (one) => {
      const { service, version, url, startedAt, participates, calls, errors, p50Ms, p99Ms } = one;
      const said = await readMetrics(url, secret, ASKED);
      const memory = said.notifyx_process_resident_memory_bytes;
      return [
        service,
        version ?? "",
        url,
        startedAt,
        participates.join(", "),
        calls,
        errors,
        p50Ms === null ? "" : `${p50Ms.toFixed(1)} / ${p99Ms!.toFixed(1)}`,
        memory === undefined ? "" : Math.round(memory / 1024 / 1024),
        said.notifyx_http_requests_in_flight ?? "",
        said.notifyx_graphql_errors_total ?? "",
        said.notifyx_delivery_sockets ?? "",
      ];
    }),
  );
  return {
    title: all.length > SHOWN_INSTANCES ? `Instances: ${SHOWN_INSTANCES} of ${all.length}` : "Instances",
    columns: [
      "service",
      "version",
      "url",
      "since",
      "takes part in",
      "calls from here",
      "without answer",
      "half / 99 % within ms",
      "memory, MiB",
      "in flight",
      "GraphQL errors",
      "sockets",
    ],
    rows,
  };
}

function graph(overview: Overview): StatusSection {
  const present = overview.services().filter(({ instances }) => instances.some(({ subgraph }) => subgraph));
  return {
    title: "Graph",
    columns: ["service", "its types", "why"],
    rows: [
      ...present.filter(({ name }) => name !== "gateway").map(({ name, inGraph, conflicts }) => [
        name,
        conflicts.length === 0
          ? inGraph ? "in the graph" : "not heard yet"
          : inGraph
          ? "REFUSED, the graph has those of before"
          : "REFUSED",
        conflicts.join("; "),
      ]),
      ...overview.away().map((name) => [name, "in the graph", "it is away, and its fields are null"]),
    ],
  };
}
