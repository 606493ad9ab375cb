/** The client server's own metrics. */

import { gauge } from "../../kit/metrics.ts";

export function gaugeSockets(open: () => number): void {
  gauge("notifyx_client_sockets", open);
}
