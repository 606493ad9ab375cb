/** What the gateway's status page shows: the instances that it knows, delivery, and transactions. */

import type { Directory } from "../kit/directory.ts";
import type { StatusPage } from "../kit/status_page.ts";
import type { Hub } from "./delivery/hub.ts";
import { type ConsoleParts, transactionSections } from "./two_phase/console.ts";

export function statusSections(directory: Directory, hub: Hub, transactions: ConsoleParts): StatusPage {
  return [
    () => ({
      title: "Instances",
      columns: ["service", "url", "since", "takes part in"],
      rows: directory.all()
        .sort((a, b) => a.service.localeCompare(b.service) || a.startedAt.localeCompare(b.startedAt))
        .map((one) => [one.service, one.url, one.startedAt, one.participates.join(", ")]),
    }),
    () => ({
      title: "Delivery",
      columns: ["feed position", "subscriptions"],
      rows: [[hub.position ?? "not heard yet", hub.size]],
    }),
    ...transactionSections(transactions),
  ];
}
