/** Makes faults, all at once, waits until each has raised its alerts, ends them, and waits until these are over. Out: rows of a table. */

import { delay, SECOND } from "../../kit/time.ts";
import type { Fault, Raised, Stage } from "./fault.ts";

/** What an alert may take to fire and to clear, by the faster clock of the stage and the system's own, in milliseconds. */
export const FIRES_WITHIN_MS = 30 * SECOND;
const CLEARS_WITHIN_MS = 90 * SECOND;
const LOOK_EVERY_MS = 100;

export interface Row {
  readonly alert: string;
  readonly what: string;
  /** In milliseconds since the fault was made, and since it was ended. */
  readonly firedAfterMs: number;
  readonly clearedAfterMs: number;
}

export async function raise(stage: Stage, faults: readonly Fault[]): Promise<Row[]> {
  await using ends = new AsyncDisposableStack();
  const rows: Promise<Omit<Row, "clearedAfterMs">>[] = [];
  for (const { what, raises, make } of faults) {
    await make(stage, ends);
    const at = performance.now();
    rows.push(...raises.map(async (raised) => {
      await become(stage, raised, true, at + (raised.withinMs ?? FIRES_WITHIN_MS));
      return { alert: nameOf(raised), what, firedAfterMs: performance.now() - at };
    }));
  }
  const fired = await Promise.all(rows);
  await ends.disposeAsync();
  const endedAt = performance.now();
  const cleared = await Promise.all(faults.flatMap(({ raises }) =>
    raises.map(async (raised) => {
      await become(stage, raised, false, endedAt + CLEARS_WITHIN_MS);
      return performance.now() - endedAt;
    })
  ));
  return fired.map((row, nth) => ({ ...row, clearedAfterMs: cleared[nth]! }));
}

/** The alerts that fire now, each by its name and labels. */
export async function firing({ prometheus }: Stage): Promise<string[]> {
  const alerts = await prometheus.alerts();
  return alerts.filter(({ state }) => state === "firing").map(({ labels }) => JSON.stringify(labels)).sort();
}

async function become(stage: Stage, raised: Raised, fires: boolean, giveUpAt: number): Promise<void> {
  // On a busy machine Prometheus may say nothing for a moment.
  while (await isFiring(stage, raised).catch(() => !fires) !== fires) {
    if (performance.now() > giveUpAt) {
      const there = await firing(stage);
      throw new Error(`${nameOf(raised)} ${fires ? "doesn't fire" : "goes on"}; these fire: ${there.join(", ")}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}

async function isFiring({ prometheus }: Stage, { alert, labels = {} }: Raised): Promise<boolean> {
  const wanted = Object.entries({ alertname: alert, ...labels });
  return (await prometheus.alerts()).some((one) =>
    one.state === "firing" && wanted.every(([name, value]) => one.labels[name] === value)
  );
}

function nameOf({ alert, labels = {} }: Raised): string {
  return [alert, ...Object.values(labels)].join(" ");
}

export function table(rows: readonly Row[]): string {
  const seconds = (ms: number) => `${(ms / SECOND).toFixed(1)} s`;
  const cells = [
    ["alert", "fault", "fired after", "cleared after"],
    ...rows.map(({ alert, what, firedAfterMs, clearedAfterMs }) => [
      alert,
      what,
      seconds(firedAfterMs),
      seconds(clearedAfterMs),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ").trimEnd()).join("\n");
}
