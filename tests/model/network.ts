/** Calls between processes of the model: lost, late, repeated, refused where nobody listens. The errors are those of kit/call.ts. */

import type { CallAnswer } from "../../kit/call.ts";
import { UserError } from "../../kit/errors.ts";
import type { Fates } from "./postgres.ts";
import { HEAL_AT } from "./scenario.ts";
import type { Process } from "./world.ts";

/** A place where a process listens, or none at the moment. */
export interface Place {
  readonly process: Process | undefined;
}

export class Network {
  constructor(private readonly fates: Fates, private readonly now: () => number) {}

  /** Has whoever listens at `to` handle a call, once or more; the first answer counts. @throws UserError `TIMEOUT`, `SERVICE_UNAVAILABLE` */
  async call(
    from: Process,
    to: Place,
    handle: (at: Process) => Promise<CallAnswer>,
    limitMs: number,
  ): Promise<CallAnswer> {
    await from.runs();
    const { delays, lost, repeatedAfter } = this.fates("transaction");
    const { promise, resolve, reject } = Promise.withResolvers<CallAnswer>();
    const timer = setTimeout(() => reject(new UserError("TIMEOUT", "a service took too long to answer")), limitMs);
    const arrive = async () => {
      if (to.process === undefined) return reject(new UserError("SERVICE_UNAVAILABLE", "a service is away just now"));
      const at = to.process;
      await at.runs();
      const answer = await handle(at).catch(() => ({ status: 500, body: null }));
      if (lost !== "answer") setTimeout(() => resolve(answer), delays[1]);
    };
    if (lost !== "request") setTimeout(arrive, delays[0]);
    // A message of the bad time does not come long after it.
    const again = delays[0] + (repeatedAfter ?? 0);
    if (repeatedAfter !== undefined && this.now() + again < HEAL_AT) setTimeout(arrive, again);
    try {
      return await from.hears(promise);
    } finally {
      clearTimeout(timer);
    }
  }
}
