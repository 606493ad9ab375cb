/** Finds out before anything is started whether the ports are free. */

import { delay } from "../kit/time.ts";

export interface WantedPort {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/**
 * The first of `wanted` that somebody else listens on, waiting up to `limitMs` for it to become free.
 * @throws Error for a host that is none of this machine's
 */
export async function takenPort(wanted: readonly WantedPort[], limitMs = 0): Promise<WantedPort | undefined> {
  const until = performance.now() + limitMs;
  while (true) {
    const taken = wanted.find((one) => !isFree(one));
    if (taken === undefined || performance.now() >= until) return taken;
    await delay(100);
  }
}

function isFree({ name, host, port }: WantedPort): boolean {
  try {
    Deno.listen({ hostname: host, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    const why = error instanceof Error ? error.message : error;
    throw new Error(`NOTIFYX_HOST is ${JSON.stringify(host)}, where ${name} can't listen: ${why}`);
  }
}
