/** What is measured of a process as such: what it is, its memory and processor, and how late its event loop is. */

import { counter, gauge, histogram } from "./metrics.ts";
import { SECOND } from "./time.ts";
import { VERSION } from "./version.ts";
import process from "node:process";

/** Between two samples of the event loop, in milliseconds. */
const SAMPLE_EVERY_MS = SECOND / 4;

const startedAt = Date.now();
gauge("notifyx_build_info").set({ version: VERSION, deno: Deno.version.deno }, 1);
gauge("notifyx_process_uptime_seconds", () => (Date.now() - startedAt) / SECOND);
gauge("notifyx_process_resident_memory_bytes", () => Deno.memoryUsage().rss);
gauge("notifyx_process_heap_bytes", () => Deno.memoryUsage().heapUsed);
counter("notifyx_process_cpu_seconds_total", () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
});
const lag = histogram("notifyx_event_loop_lag_seconds");

/** Samples how late the event loop runs a timer, to the process's end, which it doesn't put off. */
export function sampleEventLoop(): void {
  let dueAt = performance.now() + SAMPLE_EVERY_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    lag.observe(Math.max(0, now - dueAt) / SECOND);
    dueAt = now + SAMPLE_EVERY_MS;
  }, SAMPLE_EVERY_MS);
  Deno.unrefTimer(timer);
}
