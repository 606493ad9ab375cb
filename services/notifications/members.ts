/** The SQL of who is subscribed to a topic and who is invited. A join or leave takes its place in the feed (migrations/000002_feed.sql). */

import type { Sql } from "../../kit/database.ts";
import { raisedError } from "../../kit/database_errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { checkUserIds } from "./topic_input.ts";
import { noSuchTopic, type Topic, type Topics } from "./topics.ts";

export class Members {
  constructor(private readonly sql: Sql, private readonly topics: Topics) {}

  /** Again is fine. @throws UserError `NOT_FOUND`, also where the viewer would have to be invited */
  async join(topicId: string, viewerId: string): Promise<Topic> {
    if (!isUuid(topicId)) throw noSuchTopic();
    await this.sql`select join_topic(${topicId}, ${viewerId})`.catch(raise);
    return await this.topics.one(topicId, viewerId);
  }

  /** Again is fine, as long as the viewer sees the topic. @throws UserError `NOT_FOUND` */
  async leave(topicId: string, viewerId: string): Promise<Topic> {
    // Read before: whoever leaves an INVITE topic without an invitation sees it no more.
    const topic = await this.topics.one(topicId, viewerId);
    const left = await this.sql`
      select leave_topic(id, ${viewerId}) from topics where id = ${topicId} and may_see_topic(id, ${viewerId})`
      .catch(raise);
    if (left.length === 0) throw noSuchTopic();
    return topic;
  }

  /** By the topic's creator: lets these users in, subscribed or not. Again is fine. @throws UserError `BAD_USER_INPUT`, `NOT_FOUND`, `FORBIDDEN` */
  async invite(topicId: string, viewerId: string, userIds: readonly string[]): Promise<Topic> {
    const ids = checkUserIds(userIds);
    return await this.topics.asCreator(topicId, viewerId, false, async (sql, topic) => {
      if (ids.length === 0) return topic;
      // In one order for all: two that name the same in different orders would wait for each other.
      await sql`insert into invitations (topic_id, user_id)
        select ${topic.id}, id from unnest(${ids}::uuid[]) as id order by id on conflict do nothing`;
      return topic;
    });
  }

  /**
   * By the topic's creator: ends a user's subscription and withdraws the invitation. Again is fine.
   * The order is held from before the invitation is gone, so that its user can't join by it in between.
   * @throws UserError `BAD_USER_INPUT`, `NOT_FOUND`, `FORBIDDEN`
   */
  async remove(topicId: string, viewerId: string, userId: string): Promise<Topic> {
    const [id] = checkUserIds([userId]) as [string];
    return await this.topics.asCreator(topicId, viewerId, true, async (sql, topic) => {
      await sql`delete from invitations where topic_id = ${topic.id} and user_id = ${id}`;
      await sql`select leave_topic(${topic.id}, ${id})`;
      return topic;
    }).catch(raise);
  }

  /** The ids of the present subscribers of each of `topicIds`, up to `limit` behind `after`, in their order. */
  async subscribers(topicIds: readonly string[], after: string | null, limit: number): Promise<Map<string, string[]>> {
    const { sql } = this;
    const rows = await sql<{ topic_id: string; user_id: string }[]>`
      select topic_id, user_id from unnest(${[...topicIds]}::uuid[]) as wanted cross join lateral (
        select topic_id, user_id from subscriptions where topic_id = wanted and "left" is null
          ${after === null ? sql`` : sql`and user_id > ${after}`}
        order by user_id limit ${limit}) page
      order by topic_id, user_id`;
    const grouped = Map.groupBy(rows, (row) => row.topic_id);
    return new Map(topicIds.map((id) => [id, (grouped.get(id) ?? []).map((row) => row.user_id)]));
  }

  /** Of the topics `ids`, those that the user is subscribed to now. */
  async subscribedAmong(ids: readonly string[], userId: string): Promise<Set<string>> {
    const rows = await this.sql<{ topic_id: string }[]>`
      select topic_id from subscriptions where user_id = ${userId} and "left" is null and topic_id in ${
      this.sql([...ids])
    }`;
    return new Set(rows.map((row) => row.topic_id));
  }

  async subscriberCounts(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.sql<{ topic_id: string; count: number }[]>`
      select topic_id, subscribers as count from topic_heads where topic_id in ${this.sql([...ids])}`;
    return new Map(rows.map((row) => [row.topic_id, row.count]));
  }
}

function raise(error: unknown): never {
  throw raisedError(error);
}
