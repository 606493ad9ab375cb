/** What the guards refused. */

import { counter } from "../../kit/metrics.ts";

const refused = counter("notifyx_guards_refused_total");

export function countRefused(guard: string): void {
  refused.inc({ guard });
}
