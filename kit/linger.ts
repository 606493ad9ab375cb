/**
 * The moment between leaving discovery and refusing connections. Whoever calls this process by discovery hears of it in milliseconds, or
 * later where it is busy; what it has sent until then is answered here like anything else. Ends once nobody has asked for a while.
 */

import { httpDuration } from "./metrics.ts";
import { delay, SECOND } from "./time.ts";
import { isUpkeep } from "./upkeep_routes.ts";

/** Nobody has asked for this long, in milliseconds. */
const QUIET_MS = 300;
/** It ends then, whoever asks, in milliseconds. */
const LONGEST_MS = 2 * SECOND;
const LOOK_MS = 50;

export async function untilQuiet(): Promise<void> {
  const began = performance.now();
  let [asked, since] = [await answered(), began];
  while (performance.now() - since < QUIET_MS && performance.now() - began < LONGEST_MS) {
    await delay(LOOK_MS);
    const now = await answered();
    if (now !== asked) [asked, since] = [now, performance.now()];
  }
}

/** How many requests this process has answered, but for those who look after processes, whether these leave or not. */
async function answered(): Promise<number> {
  const { values } = await httpDuration.get();
  return values
    .filter(({ metricName, labels }) => metricName?.endsWith("_count") && !isUpkeep(labels.route))
    .reduce((sum, { value }) => sum + value, 0);
}
