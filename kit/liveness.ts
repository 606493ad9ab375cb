/** Asks an instance for a sign of life, `GET /health/live`, whatever discovery says of it. */

import { call } from "./call.ts";
import type { Instance } from "./directory.ts";
import { SECOND } from "./time.ts";

/** How long it may take, in milliseconds. */
const LIMIT_MS = SECOND;

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
