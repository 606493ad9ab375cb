/** What the client shows of itself on the status page. */

import { type Figure, gauge } from "../../kit/dashboard/figures.ts";

export const CLIENT_FIGURES: readonly Figure[] = [
  { key: "sockets", label: "Sockets of browsers", unit: "count", of: gauge({ metric: "notifyx_client_sockets" }) },
];
