/** The events of the feed as gateways get them, one JSON object each. */

import type { Sql } from "../../kit/database.ts";
import { encodeFeedCursor } from "./cursors.ts";

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
  /** Of a send that is traced: its delivery stands below it. */
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

/** A row of the feed with what belongs to it: of {@link readFeed}, and of number_pending() (migrations/000007_traces.sql). */
interface FeedRow {
  readonly position: number;
  readonly kind: FeedEvent["kind"];
  readonly topic_id: string;
  readonly user_id: string;
  /** Of the notification that it is or is about. */
  readonly id: string;
  readonly from_user_id: string;
  readonly message: string;
  readonly created_at: Date;
  readonly recipients: string[] | null;
  readonly recipient_count: number;
  readonly traceparent: string | null;
  /** The position that it is about. */
  readonly about: number;
  readonly at: Date;
}

/** Up to `limit` events behind `position`, in their order. */
export async function readFeed(sql: Sql, epoch: string, position: number, limit: number): Promise<FeedEvent[]> {
  const rows = await sql<FeedRow[]>`
    select f.position, f.kind, f.topic_id, f.user_id, f.notification_id as id, n.from_user_id, n.message, n.created_at,
      n.recipients, f.recipient_count, f.about, f.at, n.traceparent
    from feed f left join notifications n on f.kind = 'notification' and n.id = f.notification_id
    where f.position > ${position} order by f.position limit ${limit}`;
  return rows.map((row) => toEvent(epoch, row));
}

/**
 * Gives what is committed and waits its positions; the events of these, in their order, or none when they are too many for one answer.
 * `alone` is a node that knows of no other that would have to be told.
 */
export async function numberPending(sql: Sql, epoch: string, alone: boolean): Promise<FeedEvent[]> {
  const rows = await sql<FeedRow[]>`select * from number_pending(${alone})`;
  return rows.map((row) => toEvent(epoch, row));
}

function toEvent(epoch: string, row: FeedRow): FeedEvent {
  const { position, kind, topic_id: topicId, user_id: userId } = row;
  const cursor = (of: number) => encodeFeedCursor(epoch, of);
  switch (kind) {
    case "notification":
      return {
        position,
        kind,
        id: row.id,
        topicId,
        fromUserId: row.from_user_id,
        message: row.message,
        createdAt: row.created_at.toISOString(),
        cursor: cursor(position),
        to: row.recipients,
        recipientCount: row.recipient_count,
        ...row.traceparent === null ? undefined : { traceparent: row.traceparent },
      };
    case "join":
    case "leave":
      return { position, kind, topicId, userId };
    case "seen":
      return {
        position,
        kind,
        topicId,
        userId,
        notificationId: row.id,
        at: row.at.toISOString(),
        cursor: cursor(position),
      };
    case "seenAll":
      return {
        position,
        kind,
        topicId,
        userId,
        upTo: cursor(row.about),
        upToPosition: row.about,
        at: row.at.toISOString(),
        cursor: cursor(position),
      };
    case "retract":
      return { position, kind, topicId, id: row.id, notificationPosition: row.about };
    case "prune":
      return { position, kind, topicId, upToPosition: row.about };
    case "topic":
    case "delete":
      return { position, kind, topicId };
  }
}
