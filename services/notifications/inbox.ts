/**
 * The SQL of what a user has received: their inbox, what they have acknowledged, and what a resuming subscription missed.
 *
 * Who may see a notification follows from one rule: it has a position, the user was subscribed to its topic at that position
 * (`joined < position < left`), and it is a broadcast or names them. There is no row for each recipient of a broadcast.
 */

import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";

export interface Received {
  readonly position: number;
  readonly id: string;
  readonly topicId: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: Date;
  readonly seen: boolean;
}

export interface InboxFilter {
  readonly topicId: string | null;
  readonly fromUserId: string | null;
  /** Only those that are, or aren't, acknowledged by the viewer. */
  readonly seen: boolean | null;
}

/** The most ids that one acknowledgement may name. */
const ACKNOWLEDGE_LIMIT = 1_000;

export class Inbox {
  constructor(private readonly sql: Sql) {}

  /** Newest first, older than position `before`. */
  page(viewerId: string, filter: InboxFilter, before: number | null, limit: number): Promise<Received[]> {
    const { sql } = this;
    return sql<Received[]>`
      select v.* from subscriptions s cross join lateral (${
      this.#visible(viewerId, filter, sql`0`, sql`${before}::bigint`)
    } order by f.topic_id desc, f.position desc limit ${limit}) v
      where s.user_id = ${viewerId} ${this.#ofTopic(filter.topicId)} order by v.position desc limit ${limit}`;
  }

  /** Oldest first, with positions from behind `after` up to `upTo`. */
  missed(viewerId: string, topicId: string | null, after: number, upTo: number, limit: number): Promise<Received[]> {
    const { sql } = this;
    const filter = { topicId, fromUserId: null, seen: null };
    return sql<Received[]>`
      select v.* from subscriptions s cross join lateral (
        ${
      this.#visible(viewerId, filter, sql`${after}::bigint`, sql`${upTo + 1}::bigint`)
    } order by f.topic_id, f.position limit ${limit}) v
      where s.user_id = ${viewerId} ${this.#ofTopic(topicId)} order by v.position limit ${limit}`;
  }

  async unseenCount(viewerId: string, topicId: string | null): Promise<number> {
    const filter = { topicId, fromUserId: null, seen: false };
    const rows = await this.sql<{ count: number }[]>`
      select count(*) as count from subscriptions s cross join lateral (${this.#visible(viewerId, filter)}) v
      where s.user_id = ${viewerId} ${this.#ofTopic(topicId)}`;
    return rows[0]!.count;
  }

  /**
   * Acknowledges all of `ids`, and gives them in that order; again is fine.
   * @throws UserError `NOT_FOUND` when one of them is none that the viewer received: then none is acknowledged
   */
  async acknowledge(viewerId: string, ids: readonly string[]): Promise<Received[]> {
    const unique = [...new Set(ids.map((id) => id.toLowerCase()))];
    if (unique.length > ACKNOWLEDGE_LIMIT) {
      throw new UserError("BAD_USER_INPUT", `ids names at most ${ACKNOWLEDGE_LIMIT} notifications`);
    }
    const received = unique.length === 0 ? [] : await this.#received(viewerId, unique.filter(isUuid));
    const found = new Map(received.map((one) => [one.id, { ...one, seen: true }]));
    const unknown = unique.filter((id) => !found.has(id));
    if (unknown.length > 0) {
      const shown = unknown.slice(0, 20).map((id) => id.slice(0, 64)).join(", ");
      throw new UserError("NOT_FOUND", `no such notification: ${shown}`, { unknownIds: unknown });
    }
    if (unique.length > 0) {
      // In one order for all: two that name the same in different orders would wait for each other.
      await this.sql`insert into acknowledgements (user_id, notification_id)
        select ${viewerId}, id from unnest(${unique}::uuid[]) as id order by id on conflict do nothing`;
    }
    return unique.map((id) => found.get(id)!);
  }

  async #received(viewerId: string, ids: readonly string[]): Promise<Received[]> {
    if (ids.length === 0) return [];
    const filter = { topicId: null, fromUserId: null, seen: null };
    return await this.sql<Received[]>`
      with wanted as materialized (select topic_id, position from feed where notification_id = any(${[...ids]}::uuid[]))
      select v.* from wanted w join subscriptions s on s.topic_id = w.topic_id and s.user_id = ${viewerId} cross join lateral (
        ${this.#visible(viewerId, filter, this.sql`w.position - 1`, this.sql`w.position + 1`)}) v`;
  }

  /**
   * What one stay `s` of the viewer brought them, with positions between `after` and `before`; open at its end for more conditions.
   *
   * Rows are compared, and a page is ordered by topic and position, so that only the index feed_of_topic serves: by position alone the
   * planner takes the primary key, and reads past the notifications of all other topics. What is asked of each row is
   * a scalar subquery. `exists` may be hashed, 100,000 acknowledgements for a page of fifty, or joined in an order that is quadratic.
   */
  #visible(viewerId: string, filter: InboxFilter, after = this.sql`0`, before = this.sql`null::bigint`) {
    const { sql } = this;
    const seen =
      sql`(select true from acknowledgements a where a.user_id = ${viewerId} and a.notification_id = n.id) is not null`;
    return sql`
      select f.position, n.id, n.topic_id as "topicId", n.from_user_id as "fromUserId", n.message, n.created_at as "createdAt",
        ${seen} as seen
      from feed f join notifications n on n.id = f.notification_id
      where (f.topic_id, f.position) > (s.topic_id, greatest(s.joined, ${after}))
        and (f.topic_id, f.position) < (s.topic_id, coalesce(least(s."left", ${before}), ${Number.MAX_SAFE_INTEGER}))
        and (not n.targeted
          or (select true from recipients r where r.notification_id = n.id and r.user_id = ${viewerId}))
        ${filter.fromUserId === null ? sql`` : sql`and n.from_user_id = ${filter.fromUserId}`}
        ${filter.seen === null ? sql`` : sql`and (${seen}) = ${filter.seen}`}`;
  }

  #ofTopic(topicId: string | null) {
    return topicId === null ? this.sql`` : this.sql`and s.topic_id = ${topicId}`;
  }
}
