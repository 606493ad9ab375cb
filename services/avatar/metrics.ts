/** What avatars cost. */

import type { Counter } from "prom-client";
import { counter, gauge, histogram } from "../../kit/metrics.ts";
import type { Gallery } from "./gallery.ts";
import type { Pool } from "./pool.ts";

const asked = counter("notifyx_avatars_total");
export const hits = asked.labels("hit");
export const misses = asked.labels("miss");
export const shared = asked.labels("shared");
export const known = asked.labels("known");

export const drawing = histogram("notifyx_avatar_drawing_seconds");

export const refused = counter("notifyx_avatars_refused_total");

export const replaced = counter("notifyx_avatar_workers_replaced_total");

/** Since the start, for people. */
export async function counts(): Promise<[string, number][]> {
  const found = (await asked.get()).values.map(({ labels, value }): [string, number] => [
    `asked for: ${labels.found}`,
    value,
  ]);
  const total = async (one: Counter<never>) => (await one.get()).values[0]?.value ?? 0;
  return [...found, ["refused", await total(refused)], ["threads replaced", await total(replaced)]];
}

/** They are asked when somebody looks. */
export function showState(
  gallery: Pick<Gallery, "bytes" | "mostBytes">,
  pool: Pick<Pool, "waiting" | "mostWaiting" | "threads" | "ready" | "busy">,
): void {
  gauge("notifyx_avatar_cache_bytes", () => gallery.bytes);
  gauge("notifyx_avatar_cache_limit_bytes", () => gallery.mostBytes);
  gauge("notifyx_avatars_waiting", () => pool.waiting);
  gauge("notifyx_avatars_waiting_limit", () => pool.mostWaiting);
  gauge("notifyx_avatar_threads", (shown) => {
    const { threads, ready, busy } = pool;
    shown.set({ state: "busy" }, busy);
    shown.set({ state: "idle" }, ready - busy);
    shown.set({ state: "starting" }, threads - ready);
  });
}
