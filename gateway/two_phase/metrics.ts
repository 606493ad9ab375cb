/** What the coordinator measures. */

import { counter, gauge, histogram } from "../../kit/metrics.ts";
import type { Places } from "./places.ts";

export const transactions = counter("notifyx_transactions_total");

export const phaseDuration = histogram("notifyx_transaction_phase_duration_seconds");

export const running = gauge("notifyx_transactions_running");

export const damaged = gauge("notifyx_transactions_damaged");

export function measurePlaces(places: Pick<Places, "waiting" | "most">): void {
  gauge("notifyx_transactions_waiting", () => places.waiting);
  gauge("notifyx_transactions_places", () => places.most);
}
