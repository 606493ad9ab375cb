/** The tables of the gateway's status page: the whole system, how the graph has changed, delivery, and transactions. */

import type { StatusPage, StatusSection } from "../kit/status_page.ts";
import type { Hub } from "./delivery/hub.ts";
import type { Overview } from "./overview.ts";
import { systemSections } from "./system/sections.ts";
import type { SystemTiles } from "./system/system.ts";
import { type ConsoleParts, transactionSections } from "./two_phase/console.ts";

/** How many schema changes are shown. */
const SHOWN_CHANGES = 30;

export function statusSections(
  system: SystemTiles,
  overview: Overview,
  hub: Hub,
  transactions: ConsoleParts,
): StatusPage {
  return [
    ...systemSections(system, overview, transactions.balancer),
    ...transactionSections(transactions),
    () => graph(overview),
    () => ({
      title: "Schema changes",
      columns: ["when", "", "what"],
      rows: overview.schemaChanges(SHOWN_CHANGES).map(({ at, criticality, message }) => [at, criticality, message]),
    }),
    () => ({
      title: "Delivery",
      columns: ["feed position", "subscriptions"],
      rows: [[hub.position ?? "not heard yet", hub.size]],
    }),
  ];
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
