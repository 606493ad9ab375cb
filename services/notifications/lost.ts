/** What retention has taken from a viewer: behind a cursor that is older, a resume can't be whole. */

import type { Sql } from "../../kit/database.ts";

/**
 * The position of the last removed notification that the viewer received behind `from`; 0 where there is none. Exact, but for a stay that
 * ended before the last that is removed of its topic: of such a one its end is known, and not its last notification, so its end is told,
 * also where nothing was received between `from` and that.
 */
export async function lostPosition(sql: Sql, userId: string, topicId: string | null, from: number): Promise<number> {
  const ofTopic = topicId === null ? sql`` : sql`and t.id = ${topicId}`;
  const [row] = await sql<{ lost: number | null }[]>`
    select max(lost) as lost from (
      select least(h.lost_position, s."left") as lost
        from subscriptions s join topics t on t.id = s.topic_id join topic_heads h on h.topic_id = s.topic_id
        where s.user_id = ${userId} and t.deleted_at is null ${ofTopic}
          and h.lost_number > s.joined_number and (s.left_number is null or s.left_number > s.joined_number)
      union all
      select i.lost_position from inboxes i join topics t on t.id = i.topic_id
        where i.user_id = ${userId} and t.deleted_at is null ${ofTopic}
    ) losses where lost > ${from}`;
  return row!.lost ?? 0;
}
