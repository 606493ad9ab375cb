/**
 * Mails of sends that are traced: each is sent in its notification's trace, but of a batch no more than a few of one notification, since it
 * may be ten thousand mails that are all alike. Where nothing is traced here nothing is asked.
 */

import type { Sql } from "../../../kit/database.ts";
import { isTracing } from "../../../kit/tracing/mod.ts";

/** Of one notification, in one batch. */
const MOST_OF_ONE = 10;

/** The trace for one more mail of a notification, by its id; undefined where there is none, or enough have it. */
export type TakeTrace = (notificationId: string) => string | undefined;

export async function tracesOf(sql: Sql, notificationIds: Iterable<string>): Promise<TakeTrace> {
  const ids = [...new Set(notificationIds)];
  if (!isTracing() || ids.length === 0) return () => undefined;
  const rows = await sql<{ id: string; traceparent: string }[]>`
    select id, traceparent from notifications where id = any(${ids}::uuid[]) and traceparent is not null`;
  const traces = new Map(rows.map(({ id, traceparent }) => [id, { traceparent, left: MOST_OF_ONE }]));
  return (id) => {
    const found = traces.get(id);
    return found !== undefined && found.left-- > 0 ? found.traceparent : undefined;
  };
}
