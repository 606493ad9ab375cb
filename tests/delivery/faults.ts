/** What befalls the system and its clients, planned from a seed: when, and what. */

import { delay } from "../../kit/time.ts";
import { metric, type System } from "../helpers/system.ts";
import type { Random } from "../soak/random.ts";
import type { Client } from "./clients.ts";

export const FAULTS = ["gateway killed", "gateway drained", "notifications killed", "PostgreSQL killed"] as const;
export type Fault = typeof FAULTS[number];
type Planned = { readonly atMs: number; readonly fault: Fault; readonly node: number };

/** Each kind at least once where there are enough of them, PostgreSQL no more than once: all waits for it. */
export function plan(random: Random, count: number, overMs: number, nodes: number): Planned[] {
  const often = FAULTS.filter((fault) => fault !== "PostgreSQL killed");
  const kinds: Fault[] = [...FAULTS];
  while (kinds.length < count) kinds.push(random.pick(often));
  for (let last = kinds.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1));
    [kinds[last], kinds[other]] = [kinds[other]!, kinds[last]!];
  }
  return kinds.slice(0, count).map((fault, nth) => ({
    fault,
    atMs: (nth + random.next()) * overMs / count,
    node: Math.floor(random.next() * nodes),
  }));
}

export class Faults {
  /** How often it was what. */
  readonly counts: Record<string, number> = {};
  /** Resumes of all gateways, as far as these told before they were killed. */
  readonly resumes = { window: 0, database: 0 };

  constructor(private readonly system: System) {}

  async run(planned: readonly Planned[], signal: AbortSignal): Promise<void> {
    const began = Date.now();
    for (const { atMs, fault, node } of planned) {
      await delay(Math.max(0, began + atMs - Date.now()), signal);
      if (signal.aborted) return;
      await this.#strike(fault, node);
    }
  }

  async #strike(fault: Fault, node: number): Promise<void> {
    const { system } = this;
    if (fault === "PostgreSQL killed") {
      if (system.postgres.process.state !== "ready") return;
      system.killPostgres();
    } else {
      const [kind, how] = fault.split(" ") as ["gateway" | "notifications", "killed" | "drained"];
      const { process } = system.node(kind, kind === "gateway" ? node : 0);
      if (kind === "gateway") await this.count(node);
      // It may have been killed a moment ago.
      if (process.state !== "ready") return;
      Deno.kill(process.pid!, how === "killed" ? "SIGKILL" : "SIGTERM");
    }
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
  }

  /** Adds what a gateway's process has counted: before it is killed, and in the end. */
  async count(gateway: number): Promise<void> {
    const url = this.system.url("gateway", gateway);
    for (const from of ["window", "database"] as const) {
      const count = await metric(url, `notifyx_delivery_resumes_total{from="${from}"}`).catch(() => 0);
      this.resumes[from] += count || 0;
    }
  }
}

/** Cuts clients off, one at a time, `count` times in all. */
export async function cutOff(
  clients: readonly Client[],
  random: Random,
  { count, overMs }: { readonly count: number; readonly overMs: number },
  signal: AbortSignal,
): Promise<void> {
  const began = Date.now();
  for (let nth = 0; nth < count && !signal.aborted; nth++) {
    await delay(Math.max(0, began + nth * overMs / count - Date.now()), signal);
    random.pick(clients).cut();
  }
}
