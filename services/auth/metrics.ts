/** Auth's own metrics. */

import { Counter, Gauge } from "prom-client";
import { registry } from "../../kit/metrics.ts";

export const logins = new Counter({
  name: "notifyx_auth_logins_total",
  help: "Logins, by outcome: good, or wrong e-mail address or password",
  labelNames: ["outcome"],
  registers: [registry],
});

export const registrations = new Counter({
  name: "notifyx_auth_registrations_total",
  help: "Users who registered",
  registers: [registry],
});

export const usersAsked = new Counter({
  name: "notifyx_auth_users_total",
  help: "Users asked for by their ids, by whether they were kept in memory",
  labelNames: ["found"],
  registers: [registry],
});

export const endedPosition = new Gauge({
  name: "notifyx_auth_ended_sessions_position",
  help: "The last position that was given to an ended session, as far as this process has heard",
  registers: [registry],
});

export const endedStreams = new Gauge({
  name: "notifyx_auth_ended_sessions_streams",
  help: "Gateways that follow the ended sessions here",
  registers: [registry],
});

export function measureWaiting(waiting: () => number): void {
  new Gauge({
    name: "notifyx_auth_hashes_waiting",
    help: "Password hashes that wait for their turn",
    registers: [registry],
    collect() {
      this.set(waiting());
    },
  });
}
