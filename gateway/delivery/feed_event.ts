/** The events of the feed, as `services/notifications/stream.ts` writes them: one JSON object a line. */

export interface NotificationEvent {
  readonly position: number;
  readonly kind: "notification";
  readonly id: string;
  readonly topicId: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string;
  /** The recipients of a targeted one; null for a broadcast. */
  readonly to: readonly string[] | null;
}

/** From its position on, a user is (`join`) or isn't (`leave`) subscribed to a topic. */
export interface MembershipEvent {
  readonly position: number;
  readonly kind: "join" | "leave";
  readonly topicId: string;
  readonly userId: string;
}

export type FeedEvent = NotificationEvent | MembershipEvent;
