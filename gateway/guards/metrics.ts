/** What the guards refused. */

import { Counter } from "prom-client";
import { registry } from "../../kit/metrics.ts";

const refused = new Counter({
  name: "notifyx_guards_refused_total",
  help: "Requests that a guard refused: document (its size), cost, untrusted, or a rate by user, address or sign_in",
  labelNames: ["guard"],
  registers: [registry],
});

export function countRefused(guard: string): void {
  refused.inc({ guard });
}
