/** What the coordinator measures. */

import { counter, gauge, histogram } from "../../kit/metrics.ts";
import { seriesOf } from "../../kit/metrics/held_series.ts";
import { SECOND } from "../../kit/time.ts";
import type { Span } from "../../kit/tracing/mod.ts";
import type { Places } from "./places.ts";

export const transactions = counter("notifyx_transactions_total");

const durations = histogram("notifyx_transaction_phase_duration_seconds");
const phases = {
  wait: seriesOf(durations, { phase: "wait" }),
  prepare: seriesOf(durations, { phase: "prepare" }),
  decide: seriesOf(durations, { phase: "decide" }),
  commit: seriesOf(durations, { phase: "commit" }),
};

/** Begins a phase; what it answers ends it. */
export function startPhase(phase: keyof typeof phases, span: Span | undefined): () => void {
  const began = performance.now();
  return () => phases[phase].observe((performance.now() - began) / SECOND, span);
}

export const running = gauge("notifyx_transactions_running");

export const damaged = gauge("notifyx_transactions_damaged");

export function measurePlaces(places: Pick<Places, "waiting" | "most" | "refused">): void {
  gauge("notifyx_transactions_waiting", () => places.waiting);
  gauge("notifyx_transactions_places", () => places.most);
  counter("notifyx_transactions_refused_total", () => places.refused);
}
