/** Events in the shape of the schema's types, as executions begin with them. */

import type { NotificationEvent, SeenAllEvent, SeenEvent } from "./feed_event.ts";
import type { MissedAcknowledgement, MissedNotification } from "./upstream.ts";

interface Reference {
  readonly id: string;
}

/** A notification on its way to viewers, in the shape of the schema's Notification. */
export interface Delivered {
  readonly id: string;
  readonly topic: Reference;
  readonly from: Reference;
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string | null;
  readonly status: "SENT" | "SEEN";
  /** Of a send that is traced, as it is delivered. */
  readonly traceId?: string | undefined;
}

/** In the shape of the schema's Acknowledgement. */
export interface Acknowledged {
  readonly cursor: string;
  readonly by: Reference;
  readonly at: string;
  /** graphql-js calls it where the document asks for it. */
  readonly notification: (() => Promise<Delivered | null>) | null;
  readonly upTo: string | null;
}

export function delivered(
  event: NotificationEvent | MissedNotification,
  seen: boolean,
  traceId?: string,
): Delivered {
  const { id, topicId, fromUserId, message, createdAt, cursor } = event;
  return {
    id,
    topic: { id: topicId },
    from: { id: fromUserId },
    message,
    createdAt,
    cursor,
    status: seen ? "SEEN" : "SENT",
    traceId,
  };
}

export type SeenRow = SeenEvent | SeenAllEvent | MissedAcknowledgement;

/** `notification` loads the acknowledged one, where it is one. */
export function acknowledged(event: SeenRow, notification: Acknowledged["notification"]): Acknowledged {
  const { cursor, userId, at } = event;
  return { cursor, by: { id: userId }, at, notification, upTo: "upTo" in event ? event.upTo : null };
}
