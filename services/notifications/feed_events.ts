/** The events of the feed as gateways get them, one JSON object each. */

import type { Sql } from "../../kit/database.ts";
import { encodeFeedCursor } from "./cursors.ts";

/** A notification at its position; `to` names the recipients of a targeted one, and is null for a broadcast. */
export interface NotificationEvent {
  readonly position: number;
  readonly kind: "notification";
  readonly id: string;
  readonly topicId: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: string;
  readonly cursor: string;
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

/** Up to `limit` events behind `position`, in their order. */
export async function readFeed(sql: Sql, epoch: string, position: number, limit: number): Promise<FeedEvent[]> {
  const rows = await sql`
    select f.position, f.kind, f.topic_id, f.user_id, n.id, n.from_user_id, n.message, n.created_at, n.targeted,
      case when n.targeted then array(select r.user_id from recipients r where r.notification_id = n.id) end as recipients
    from feed f left join notifications n on n.id = f.notification_id
    where f.position > ${position} order by f.position limit ${limit}`;
  return rows.map((row): FeedEvent =>
    row.kind === "notification"
      ? {
        position: row.position,
        kind: "notification",
        id: row.id,
        topicId: row.topic_id,
        fromUserId: row.from_user_id,
        message: row.message,
        createdAt: row.created_at.toISOString(),
        cursor: encodeFeedCursor(epoch, row.position),
        to: row.recipients,
      }
      : { position: row.position, kind: row.kind, topicId: row.topic_id, userId: row.user_id }
  );
}
