/** Topics and notifications by their ids, for gateways that name them in what they deliver: who may see them is decided there. */

import type { Sql } from "../../kit/database.ts";
import { isUuid } from "../../kit/ids.ts";
import { encodeFeedCursor } from "./cursors.ts";
import type { Feed } from "./feed.ts";

/** A viewer who received nothing. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

export class Entities {
  constructor(private readonly sql: Sql, private readonly feed: Feed) {}

  /** In the order of `ids`; null for one that is unknown. What is on its way to viewers names one still that was deleted a moment ago. */
  async topics(ids: readonly string[]) {
    const rows = await this.sql<{ id: string }[]>`
      select id, name, status, visibility, retention_days as "retentionDays", created_by as "createdById", created_at as "createdAt"
      from topics where id = any(${ids.filter(isUuid)}::uuid[])`;
    const found = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => found.get(id) ?? null);
  }

  /** In the order of `ids`; null for one that is unknown, retracted or has no position yet. `seen` is that user's own. */
  async notifications(ids: readonly string[], userId: string | null) {
    const viewer = userId ?? NOBODY;
    const rows = await this.sql<{ id: string; position: number }[]>`
      select f.position, n.id, n.topic_id as "topicId", n.from_user_id as "fromUserId", n.message, n.created_at as "createdAt",
        coalesce(case when f.targeted then
          (select r.seen or r.position <= i.seen_to from recipients r join inboxes i on i.user_id = r.user_id and i.topic_id = r.topic_id
            where r.user_id = ${viewer} and r.topic_id = f.topic_id and r.position = f.position)
        else
          (select r.last from seen_ranges r where r.user_id = ${viewer} and r.topic_id = f.topic_id and r.first <= f.number
            order by r.first desc limit 1) >= f.number
        end, false) as seen
      from feed f join notifications n on n.id = f.notification_id
      where f.notification_id = any(${ids.filter(isUuid)}::uuid[]) and f.kind = 'notification' and not f.retracted`;
    const found = new Map(
      rows.map((row) => [row.id, { ...row, cursor: encodeFeedCursor(this.feed.epoch, row.position) }]),
    );
    return ids.map((id) => found.get(id) ?? null);
  }
}
