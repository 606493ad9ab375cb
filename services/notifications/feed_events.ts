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

/** A row of the feed with what belongs to it: of {@link readFeed}, and of number_pending() (migrations/000002_feed.sql). */
interface FeedRow {
  readonly position: number;
  readonly kind: FeedEvent["kind"];
  readonly topic_id: string;
  readonly user_id: string;
  readonly id: string;
  readonly from_user_id: string;
  readonly message: string;
  readonly created_at: Date;
  readonly recipients: string[] | null;
}

/** Up to `limit` events behind `position`, in their order. */
export async function readFeed(sql: Sql, epoch: string, position: number, limit: number): Promise<FeedEvent[]> {
  const rows = await sql<FeedRow[]>`
    select f.position, f.kind, f.topic_id, f.user_id, n.id, n.from_user_id, n.message, n.created_at,
      case when n.targeted then array(select r.user_id from recipients r where r.notification_id = n.id) end as recipients
    from feed f left join notifications n on n.id = f.notification_id
    where f.position > ${position} order by f.position limit ${limit}`;
  return rows.map((row) => toEvent(epoch, row));
}

/** Gives what is committed and waits its positions; the events of these, in their order, or none when they are too many for one answer. */
export async function numberPending(sql: Sql, epoch: string): Promise<FeedEvent[]> {
  const rows = await sql<FeedRow[]>`select * from number_pending()`;
  return rows.map((row) => toEvent(epoch, row));
}

function toEvent(epoch: string, row: FeedRow): FeedEvent {
  const { position, kind, topic_id: topicId } = row;
  if (kind !== "notification") return { position, kind, topicId, userId: row.user_id };
  return {
    position,
    kind,
    id: row.id,
    topicId,
    fromUserId: row.from_user_id,
    message: row.message,
    createdAt: row.created_at.toISOString(),
    cursor: encodeFeedCursor(epoch, position),
    to: row.recipients,
  };
}
