/** Who has acknowledged notifications, and when: for their sender, in the order of the users' ids. */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { perRequest } from "../../kit/subgraph.ts";
import { pageLoader } from "./page_loader.ts";

export interface Receipt {
  readonly userId: string;
  /** Null where that is too long ago, or where too many others came before. */
  readonly at: Date | null;
}

/** Of a notification, its topic's acknowledgements are looked through for when it was seen, up to so many behind it. */
const LOOKED_THROUGH = 5_000;
/** How many receipts one request may ask for, and of how many notifications. */
const RECEIPTS_LIMIT = 20_000;
const NOTIFICATIONS_LIMIT = 50;

/** Of each of `ids`, a page of those who have acknowledged it. */
export async function receipts(
  sql: Sql,
  ids: readonly string[],
  after: string | null,
  limit: number,
): Promise<Map<string, Receipt[]>> {
  const rows = await sql<(Receipt & { id: string })[]>`
    select given.id, seen.user_id as "userId", seen.at from unnest(${[...ids]}::uuid[]) as given (id)
      cross join lateral (
        select * from feed f where f.notification_id = given.id and f.kind = 'notification' and not f.retracted offset 0
      ) f cross join lateral (select * from notifications n where n.id = given.id offset 0) n
      cross join lateral (
        select page.user_id, min(told.at) as at from (
          select * from (
            select r.user_id from seen_ranges r where r.topic_id = f.topic_id and r.last >= f.number and r.first <= f.number
            union all
            select named from unnest(n.recipients) as named
              join recipients r on r.user_id = named and r.topic_id = f.topic_id and r.position = f.position
              join inboxes i on i.user_id = named and i.topic_id = f.topic_id where r.seen or r.position <= i.seen_to
          ) all_of_them where ${after === null ? sql`true` : sql`user_id > ${after}`} order by user_id limit ${limit}
        ) page left join (
          select * from (
            select a.user_id, a.at, a.notification_id, a.about from feed a
              where (a.topic_id, a.position) > (f.topic_id, f.position) and a.topic_id = f.topic_id and a.kind in ('seen', 'seenAll')
              order by a.topic_id, a.position limit ${LOOKED_THROUGH}
          ) behind where notification_id = given.id or (notification_id is null and about >= f.position)
        ) told on told.user_id = page.user_id
        group by page.user_id
      ) seen order by given.id, seen.user_id`;
  const byId = Map.groupBy(rows, ({ id }) => id);
  return new Map(ids.map((id) => [id, (byId.get(id) ?? []).map(({ userId, at }) => ({ userId, at }))]));
}

/** One statement for all notifications of a request; nothing outlives the request. */
export function receiptLoaders(sql: Sql) {
  return perRequest(() => {
    let asked = 0;
    let notifications = 0;
    return pageLoader<Receipt>((ids, after, limit) => receipts(sql, ids, after, limit), (pages) => {
      notifications += pages.length;
      asked += pages.reduce((sum, { limit }) => sum + limit, 0);
      if (asked <= RECEIPTS_LIMIT && notifications <= NOTIFICATIONS_LIMIT) return;
      const most = `${RECEIPTS_LIMIT} of ${NOTIFICATIONS_LIMIT} notifications`;
      throw new UserError("BAD_USER_INPUT", `this asks who has seen what for more than ${most} at once`);
    });
  });
}
