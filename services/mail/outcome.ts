/**
 * What an attempt comes to: sent, failed for good, or to be tried again and when. In: what nodemailer says. Out: an Outcome for emails.ts.
 *
 * RFC 5321, 4.2.1: what the server answers with 5yz is permanent, 4yz is transient; a connection that breaks, at whatever moment, says
 * nothing about the mail, so it is tried again under the same Message-ID.
 */

import type { SendingError } from "./transport.ts";
import type { ClaimedEmail, Outcome } from "./emails.ts";
import { oneLine } from "./text.ts";

export interface RetryOptions {
  /** The most that is waited for before the second attempt, in milliseconds; it doubles with each further one, up to `mostMs`. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** A mail that is older than this, in milliseconds, is not tried again. */
  readonly giveUpMs: number;
}

/** So that a server that answers 4yz at once is not asked in a circle, whatever the dice say, in milliseconds. */
const LEAST_WAIT_MS = 200;

export function failedOutcome(email: ClaimedEmail, failure: SendingError, retry: RetryOptions): Outcome {
  const { id, attempts: attempt, ageMs } = email;
  const error = oneLine(failure.message);
  if (failure.isPermanent) return { id, attempt, status: "FAILED", error };
  if (ageMs >= retry.giveUpMs) return { id, attempt, status: "FAILED", error: oneLine(`given up: ${failure.message}`) };
  return { id, attempt, status: "QUEUED", error, retryMs: waitMs(attempt, retry) };
}

/** Exponential backoff with full jitter: many mails that failed together don't come back together. */
export function waitMs(attempt: number, { firstMs, mostMs }: RetryOptions, random = Math.random()): number {
  const most = Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return LEAST_WAIT_MS + random * Math.max(0, most - LEAST_WAIT_MS);
}
