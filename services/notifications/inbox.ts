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
    const older = before === null ? sql`` : sql`and f.position < ${before}`;
    return sql<Received[]>`
      select v.* from subscriptions s cross join lateral (${
      this.#visible(viewerId, filter)
    } ${older} order by f.position desc limit ${limit}) v
      where s.user_id = ${viewerId} ${this.#ofTopic(filter.topicId)} order by v.position desc limit ${limit}`;
  }

  /** Oldest first, with positions from behind `after` up to `upTo`. */
  missed(viewerId: string, topicId: string | null, after: number, upTo: number, limit: number): Promise<Received[]> {
    const { sql } = this;
    const filter = { topicId, fromUserId: null, seen: null };
    return sql<Received[]>`
      select v.* from subscriptions s cross join lateral (
        ${
      this.#visible(viewerId, filter)
    } and f.position > ${after} and f.position <= ${upTo} order by f.position limit ${limit}) v
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
      await this.sql`insert into acknowledgements (user_id, notification_id)
        select ${viewerId}, unnest(${unique}::uuid[]) on conflict do nothing`;
    }
    return unique.map((id) => found.get(id)!);
  }

  async #received(viewerId: string, ids: readonly string[]): Promise<Received[]> {
    if (ids.length === 0) return [];
    const filter = { topicId: null, fromUserId: null, seen: null };
    return await this.sql<Received[]>`
      select v.* from subscriptions s cross join lateral (
        ${this.#visible(viewerId, filter)} and f.notification_id = any(${[...ids]}::uuid[])) v
      where s.user_id = ${viewerId} and s.topic_id in (select topic_id from feed where notification_id = any(${[
      ...ids,
    ]}::uuid[]))`;
  }

  /** What one stay `s` of the viewer brought them; open at its end for more conditions. */
  #visible(viewerId: string, filter: InboxFilter) {
    const { sql } = this;
    const seen =
      sql`exists (select from acknowledgements a where a.user_id = ${viewerId} and a.notification_id = n.id)`;
    return sql`
      select f.position, n.id, n.topic_id as "topicId", n.from_user_id as "fromUserId", n.message, n.created_at as "createdAt", ${seen} as seen
      from feed f join notifications n on n.id = f.notification_id
      where f.topic_id = s.topic_id and f.position > s.joined and (s."left" is null or f.position < s."left")
        and (not n.targeted or exists (select from recipients r where r.notification_id = n.id and r.user_id = ${viewerId}))
        ${filter.fromUserId === null ? sql`` : sql`and n.from_user_id = ${filter.fromUserId}`}
        ${filter.seen === null ? sql`` : sql`and ${seen} = ${filter.seen}`}`;
  }

  #ofTopic(topicId: string | null) {
    return topicId === null ? this.sql`` : this.sql`and s.topic_id = ${topicId}`;
  }
}
