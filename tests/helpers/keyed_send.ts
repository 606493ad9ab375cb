/** Sends with an idempotencyKey, and what a sender is told. */

import { delay } from "../../kit/time.ts";
import { graphql } from "./client.ts";

const SEND = `mutation ($topicId: ID!, $message: String!, $key: String, $to: [ID!]) {
  sendNotification(topicId: $topicId, message: $message, idempotencyKey: $key, to: $to) { id }
}`;
/** After these, and where no answer came at all, nobody knows; whoever wants to asks again (contract). */
const UNKNOWN = new Set(["TIMEOUT", "SERVICE_UNAVAILABLE", "INTERNAL", "none"]);
/** Between two tries, in milliseconds. */
const PAUSE_MS = 100;

export interface KeyedSend {
  readonly token: string;
  readonly topicId: string;
  readonly message: string;
  readonly key: string;
  /** Whom a targeted one is for. */
  readonly to?: readonly string[];
}
/** `code` is `none` where no answer came, and `why` says so. */
export type Told = { readonly id: string } | { readonly code: string; readonly why?: string };

export async function tell(url: string, { token, ...variables }: KeyedSend, limitMs?: number): Promise<Told> {
  try {
    const { data, errors } = await graphql(`${url}/graphql`, SEND, variables, token, limitMs);
    return errors === undefined
      ? { id: data.sendNotification.id }
      : { code: String(errors[0]!.extensions.code ?? errors[0]!.message) };
  } catch (error) {
    return { code: "none", why: String(error) };
  }
}

export function isUnknown(told: Told): boolean {
  return "code" in told && UNKNOWN.has(told.code);
}

/** Asks again with the same key, in turn at each of `urls`, until it is sent or refused. @throws Error after `limitMs` */
export async function insist(urls: readonly string[], send: KeyedSend, limitMs: number): Promise<Told> {
  const giveUpAt = Date.now() + limitMs;
  for (let turn = 0;; turn++) {
    const told = await tell(urls[turn % urls.length]!, send);
    if ("id" in told || !(isUnknown(told) || told.code === "TRANSACTION_ABORTED")) return told;
    if (Date.now() > giveUpAt) throw new Error(`the outcome is still not known: ${told.code}`);
    await delay(PAUSE_MS);
  }
}
