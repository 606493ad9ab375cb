/** Rows of a topic by SQL, as so many sends, joins and acknowledgements leave them behind. */

import type { Sql } from "../../kit/database.ts";
import { newId } from "../../kit/ids.ts";

/** Who looks into the inbox: all of them joined long ago, before the first notification. */
export const VIEWERS = {
  "has seen nothing": newId(),
  "has acknowledged all": newId(),
  "acknowledged all one by one": newId(),
  "has seen every other one of 10,000": newId(),
  "has seen all but the first": newId(),
} as const;
export type ViewerName = keyof typeof VIEWERS;

export interface Loaded {
  readonly topicId: string;
  readonly creatorId: string;
}

/** A topic with `notifications` broadcasts, of which every hundredth is followed by a targeted one, and `subscribers`. */
export async function load(sql: Sql, notifications: number, subscribers: number): Promise<Loaded> {
  const [topicId, creatorId] = [newId(), newId()];
  const viewers = Object.values(VIEWERS);
  await sql.begin(async (transaction) => {
    await transaction`set local statement_timeout = '5min'`;
    await transaction`insert into topics (id, name, created_by) values (${topicId}, ${topicId}, ${creatorId})`;
    const [head] = await transaction<{ position: number }[]>`select position from feed_head`;
    const start = head!.position;
    const joined = subscribers;
    // The viewers are among the subscribers, or the smallest size would have none besides.
    await transaction`insert into subscriptions (topic_id, user_id, joined, joined_number)
      select ${topicId}, coalesce((${viewers}::uuid[])[nth], gen_random_uuid()), ${start} + nth, 0 from generate_series(1, ${joined}::int) as nth`;
    await transaction`insert into feed (position, kind, topic_id, user_id, at)
      select joined, 'join', topic_id, user_id, now() from subscriptions where topic_id = ${topicId}`;
    await transaction`create temporary table loading on commit drop as
      select gen_random_uuid() as id, nth, ${
      start + joined
    } + nth as position from generate_series(1, ${notifications}::int) as nth`;
    await transaction`insert into notifications (id, topic_id, from_user_id, message)
      select id, ${topicId}, ${creatorId}, 'A message of a usual length, in which something is told.' from loading order by nth`;
    await transaction`insert into feed (position, kind, topic_id, notification_id, number, recipient_count)
      select position, 'notification', ${topicId}, id, nth, ${subscribers} from loading order by nth`;
    await transaction`update topic_heads set broadcasts = ${notifications}, subscribers = ${subscribers} where topic_id = ${topicId}`;
    await transaction`update feed_head set position = ${start + joined + notifications}`;
  });
  await acknowledge(sql, topicId, notifications);
  await sql`analyze`;
  return { topicId, creatorId };
}

/** By the functions that the service calls, a thousand at a time. */
async function acknowledge(sql: Sql, topicId: string, notifications: number): Promise<void> {
  const ids = async (viewer: ViewerName, from: number, step: number, upTo: number) => {
    for (let number = from; number <= upTo; number += 5_000 * step) {
      await sql`select acknowledge(array_agg(${VIEWERS[viewer]}::uuid), array_agg(notification_id)) from feed
        where topic_id = ${topicId} and number >= ${number} and number < ${Math.min(upTo + 1, number + 5_000 * step)}
          and (number - ${number}) % ${step} = 0`;
    }
  };
  await sql`select acknowledge_all(${VIEWERS["has acknowledged all"]}, ${topicId}, null)`;
  await ids("acknowledged all one by one", 1, 1, Math.min(notifications, 20_000));
  await sql`select acknowledge_all(${VIEWERS["acknowledged all one by one"]}, ${topicId}, null)`;
  const alternate = Math.min(10_000, notifications);
  await ids("has seen every other one of 10,000", notifications - alternate + 1, 2, notifications);
  const first = await sql<
    { id: string }[]
  >`select notification_id as id from feed where topic_id = ${topicId} and number = 1`;
  // All but the first: a stay of their own that begins behind it would be another case.
  await sql`select see_range(${VIEWERS["has seen all but the first"]}, ${topicId}, 1, ${notifications},
    (select position from feed where notification_id = ${
    first[0]!.id
  } and kind = 'notification'), (select position from feed_head))`;
}
