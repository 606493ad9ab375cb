/** The events of the feed, as `services/notifications/stream.ts` writes them: one JSON object a line. */

interface Event {
  readonly position: number;
  readonly topicId: string;
}

/** A notification at its position; `to` names the recipients of a targeted one, and is null for a broadcast. */
export interface NotificationEvent extends Event {
  readonly kind: "notification";
  readonly id: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string;
  readonly to: readonly string[] | null;
  /** How many received it. */
  readonly recipientCount: number;
  /** Of a send that is traced. */
  readonly traceparent?: string;
}

/** From its position on, a user is (`join`) or isn't (`leave`) subscribed to a topic. */
export interface MembershipEvent extends Event {
  readonly kind: "join" | "leave";
  readonly userId: string;
}

/** A user acknowledged one notification that was unseen before. */
export interface SeenEvent extends Event {
  readonly kind: "seen";
  readonly userId: string;
  readonly notificationId: string;
  readonly at: string;
  readonly cursor: string;
}

/** A user acknowledged all of a topic up to a position, and something became seen by that. */
export interface SeenAllEvent extends Event {
  readonly kind: "seenAll";
  readonly userId: string;
  readonly upTo: string;
  readonly upToPosition: number;
  readonly at: string;
  readonly cursor: string;
}

/** A notification is taken back by its sender. */
export interface RetractEvent extends Event {
  readonly kind: "retract";
  readonly id: string;
  readonly notificationPosition: number;
}

/** The topic's notifications up to a position are removed, since they are older than it keeps them: counts may be less than before. */
export interface PruneEvent extends Event {
  readonly kind: "prune";
  readonly upToPosition: number;
}

/** The topic's name, status, visibility or retention changed, or it is deleted. */
export interface TopicEvent extends Event {
  readonly kind: "topic" | "delete";
}

export type FeedEvent =
  | NotificationEvent
  | MembershipEvent
  | SeenEvent
  | SeenAllEvent
  | RetractEvent
  | PruneEvent
  | TopicEvent;
