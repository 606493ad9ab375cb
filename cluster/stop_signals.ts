/**
 * When to stop: at SIGINT, SIGTERM or SIGHUP, and at once when asked again more than a second later.
 * Within the second it is the same wish come twice: a terminal's Ctrl-C reaches us from the terminal, and again from `deno task`.
 */

import { SECOND } from "../kit/time.ts";

const SAME_WISH_MS = 1 * SECOND;

/** Calls `stop` once, then `hurry` once. */
export function onStopSignals(stop: (signal: string) => void, hurry: () => void): void {
  let firstAt: number | undefined;
  let hurried = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      if (firstAt === undefined) {
        firstAt = performance.now();
        stop(signal);
      } else if (!hurried && performance.now() - firstAt > SAME_WISH_MS) {
        hurried = true;
        hurry();
      }
    });
  }
}
