/** Whether a process can do its work: what it says at `GET /health/ready` and on its status page. */

import { SECOND, withTimeLimit } from "./time.ts";

/** What has to hold, each by its name; called at each look. */
export type ReadyChecks = ReadonlyMap<string, () => boolean | Promise<boolean>>;

/** How long one check may take, in milliseconds: it is asked for when something is wrong. */
const CHECK_LIMIT_MS = 2 * SECOND;

/** The names of the checks that don't hold, or don't answer. */
export async function waitingFor(checks: ReadyChecks): Promise<string[]> {
  const waiting = await Promise.all(
    [...checks].map(async ([name, check]) => {
      const ready = await withTimeLimit(name, CHECK_LIMIT_MS, Promise.resolve().then(check)).catch(() => false);
      return ready ? [] : [name];
    }),
  );
  return waiting.flat();
}
