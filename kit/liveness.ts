/** Asks an instance for a sign of life, `GET /health/live`, whatever discovery says of it. */

import { call } from "./call.ts";
import type { Instance } from "./directory.ts";
import { SECOND } from "./time.ts";

/** How long it may take, in milliseconds. */
const LIMIT_MS = SECOND;
/** How many are asked at once. */
const BATCH = 32;

/**
 * Whether it answers. Any answer will do, since a foreign service may not have the route; but for one of ours of another name, which has
 * taken over its port.
 */
export async function isLive({ service, url }: Instance): Promise<boolean> {
  try {
    const { body } = await call(`${url}/health/live`, { limitMs: LIMIT_MS });
    const named = (body as { service?: unknown } | null)?.service;
    return named === undefined || named === service;
  } catch {
    return false;
  }
}

/** Those of `instances` that `isLive` says are there. */
export async function liveAmong(
  instances: readonly Instance[],
  isLive: (instance: Instance) => Promise<boolean>,
  signal: AbortSignal,
): Promise<Instance[]> {
  const live: Instance[] = [];
  for (let at = 0; at < instances.length && !signal.aborted; at += BATCH) {
    const batch = instances.slice(at, at + BATCH);
    const answers = await Promise.all(batch.map(isLive));
    live.push(...batch.filter((_, index) => answers[index]));
  }
  return live;
}
