/** What discovery shows of itself on the status page. */

import { type Figure, gauge, rate } from "../../kit/dashboard/figures.ts";

export const DISCOVERY_FIGURES: readonly Figure[] = [
  { key: "instances", label: "Instances", unit: "count", of: gauge({ metric: "notifyx_discovery_instances" }) },
  {
    key: "expired",
    label: "Instances not heard of any more",
    unit: "perSecond",
    of: rate({ metric: "notifyx_discovery_leases_expired_total" }),
  },
  { key: "watchers", label: "Watchers", unit: "count", of: gauge({ metric: "notifyx_discovery_watchers" }) },
];
