/**
 * What this service does in the operation sendNotification. In: the coordinator's input, through kit/participant. Out: one notification
 * that waits for its position, and after the commit that position. Next: migrations/000002_feed.sql (prepare_notification), then feed.ts.
 */

import * as v from "valibot";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { type Operation, statement } from "../../kit/participant/mod.ts";
import { characters, isStorable } from "../../kit/text.ts";
import { parseTraceparent, within } from "../../kit/tracing/mod.ts";
import type { Feed } from "./feed.ts";

/** The longest message, in Unicode code points. */
const MESSAGE_LIMIT = 10_000;
/** The most recipients that a targeted notification may name. */
const RECIPIENT_LIMIT = 1_000;
/** How long the answer to a commit waits for the notification's position, in milliseconds; the answer has no cursor then. */
const POSITION_LIMIT_MS = 1_000;

const INPUT = v.object({
  notificationId: v.pipe(v.string(), v.check(isUuid, "notificationId is no UUID")),
  topicId: v.string(),
  fromUserId: v.pipe(v.string(), v.check(isUuid, "fromUserId is no UUID")),
  message: v.string(),
  to: v.optional(v.array(v.string()), []),
  traceparent: v.optional(v.unknown()),
});

export function sendNotification(feed: Feed): Operation {
  return {
    prepare(_transactionId, given) {
      const parsed = v.safeParse(INPUT, given);
      if (!parsed.success) throw new UserError("BAD_USER_INPUT", parsed.issues[0].message);
      const { notificationId, topicId, fromUserId, message, traceparent } = parsed.output;
      checkMessage(message);
      if (!isUuid(topicId)) throw new UserError("NOT_FOUND", "there is no such topic");
      const to = checkRecipients(parsed.output.to);
      return [
        statement`select prepare_notification(${notificationId}, ${topicId}, ${fromUserId}, ${message}, ${to}::uuid[])`,
        ...parseTraceparent(traceparent)?.sampled ? [traced(notificationId, traceparent as string)] : [],
      ];
    },
    async committed(transactionId, span) {
      // The transaction's id is the notification's.
      const placed = await within(span, "place in the feed", "internal", async (placing) => {
        const placed = await feed.place(transactionId, POSITION_LIMIT_MS);
        if (placed !== undefined) placing?.set("notifyx.cursor", placed.cursor);
        return placed;
      });
      return placed && { cursor: placed.cursor, createdAt: placed.createdAt };
    },
  };
}

/** Its trace goes on wherever the row is read; of those that aren't traced nothing is written. */
function traced(notificationId: string, traceparent: string): string {
  return statement`update notifications set traceparent = ${traceparent} where id = ${notificationId}::uuid`;
}

function checkMessage(message: string): void {
  const length = characters(message);
  if (length < 1 || length > MESSAGE_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `a message has 1 to ${MESSAGE_LIMIT} characters; this one has ${length}`);
  }
  if (!isStorable(message)) {
    throw new UserError("BAD_USER_INPUT", "a message must be text without NUL characters or half surrogates");
  }
}

function checkRecipients(to: readonly string[]): string[] {
  const unique = [...new Set(to.map((id) => id.toLowerCase()))];
  if (unique.length > RECIPIENT_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `to names at most ${RECIPIENT_LIMIT} users`);
  }
  const strangers = unique.filter((id) => !isUuid(id));
  if (strangers.length > 0) {
    const shown = strangers.slice(0, 20).map((id) => id.slice(0, 64)).join(", ");
    throw new UserError("BAD_USER_INPUT", `not subscribed to this topic: ${shown}`, { notSubscribed: strangers });
  }
  return unique;
}
