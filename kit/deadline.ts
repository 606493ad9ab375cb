/**
 * Until when somebody waits for an answer: `x-request-deadline`, milliseconds since 1970. call.ts sends it with each call; a service
 * that gets one which has passed answers `TIMEOUT` at once, and begins nothing more once it passes, since nobody would read the answer.
 *
 * It is a time and not what is left of it: what lay in the socket of a frozen process has passed when that wakes up. So the clocks of
 * the cluster's machines have to agree within a second; one that differs by more is a sick instance to the gateways' breakers.
 */

import { UserError } from "./errors.ts";

export const DEADLINE_HEADER = "x-request-deadline";

/** In milliseconds since 1970; Infinity where the caller names none. */
export function deadlineOf(header: string | undefined): number {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : Infinity;
}

/** @throws UserError `TIMEOUT` once `deadline` has passed */
export function checkDeadline(deadline: number): void {
  if (deadline <= Date.now()) throw new UserError("TIMEOUT", "the caller's deadline has passed");
}
