/** What is measured of a gateway's sockets, read when somebody asks: nothing is counted twice on the way of a frame. */

import { counter, gauge } from "../../kit/metrics.ts";
import type { Connections } from "./connections.ts";
import type { Socket } from "./socket.ts";

export function observeSockets(open: ReadonlySet<Socket>, { limits, outboxes }: Connections): void {
  gauge("notifyx_delivery_sockets", () => open.size);
  gauge("notifyx_delivery_sockets_limit", () => Number.isFinite(limits.sockets) ? limits.sockets : 0);
  gauge("notifyx_delivery_operations", () => {
    let operations = 0;
    for (const { connection } of open) operations += connection.operations;
    return operations;
  });
  gauge("notifyx_delivery_waiting_bytes", () => outboxes.waitingBytes);
  counter("notifyx_delivery_frames_total", () => outboxes.frames);
  counter("notifyx_delivery_bytes_total", () => outboxes.bytes);
}
