/** What is measured of a gateway's sockets, read when somebody asks: nothing is counted twice on the way of a frame. */

import { Counter, Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";
import type { Outboxes } from "./outbox.ts";
import type { Socket } from "./socket.ts";

export function observeSockets(open: ReadonlySet<Socket>, outboxes: Outboxes): void {
  const gauge = (name: string, help: string, value: () => number) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  const counter = (name: string, help: string, value: () => number) => {
    let told = 0;
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        const now = value();
        this.inc(now - told);
        told = now;
      },
    });
  };
  gauge("notifyx_delivery_sockets", "WebSockets that are open on this gateway", () => open.size);
  gauge("notifyx_delivery_operations", "Operations that run on its WebSockets", () => {
    let operations = 0;
    for (const { connection } of open) operations += connection.operations;
    return operations;
  });
  gauge(
    "notifyx_delivery_waiting_bytes",
    "What waits for WebSockets and event streams that don't take it just now",
    () => outboxes.waitingBytes,
  );
  counter("notifyx_delivery_frames_total", "Messages written to WebSockets and event streams", () => outboxes.frames);
  counter("notifyx_delivery_bytes_total", "Bytes written to WebSockets and event streams", () => outboxes.bytes);
}
