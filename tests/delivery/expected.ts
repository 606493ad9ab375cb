/** Who should have received what, counted naively from the feed's table. */

import type { System } from "../helpers/system.ts";

export interface Feed {
  /** The ids that the user received, of a topic or of all (null), in their order. */
  of(userId: string, topicId: string | null): string[];
  /** How many notifications there are. */
  readonly size: number;
}

export async function feedOf(system: System): Promise<Feed> {
  const rows = await system.database("notifications")<
    { kind: string; topic_id: string; user_id: string; notification_id: string; recipients: string[] | null }[]
  >`select f.kind, f.topic_id, f.user_id, f.notification_id, n.recipients from feed f
      left join notifications n on n.id = f.notification_id order by f.position`;
  const all: { id: string; topicId: string; to: Set<string> }[] = [];
  const members = new Map<string, Set<string>>();
  for (const { kind, topic_id: topicId, user_id: userId, notification_id: id, recipients } of rows) {
    let present = members.get(topicId);
    if (present === undefined) members.set(topicId, present = new Set());
    if (kind === "join") present.add(userId);
    else if (kind === "leave") present.delete(userId);
    else if (kind === "notification") {
      all.push({ id, topicId, to: recipients === null ? new Set(present) : present.intersection(new Set(recipients)) });
    }
  }
  return {
    of: (userId, topicId) =>
      all.filter((one) => one.to.has(userId) && (topicId === null || one.topicId === topicId)).map(({ id }) => id),
    size: all.length,
  };
}
