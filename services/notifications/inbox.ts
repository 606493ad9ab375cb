/**
 * The SQL of what a user has received: their inbox, what they have acknowledged, and what a resuming subscription missed.
 *
 * Who may see a notification follows from one rule: it has a position, is not retracted, its topic is not deleted, and either it is a
 * broadcast and the user was subscribed at that position (`joined < position < left`), or recipients has a row for them.
 */

import type { PendingQuery, Row } from "postgres";
import type { Sql } from "../../kit/database.ts";
import { raisedError } from "../../kit/database_errors.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { Acknowledging } from "./acknowledging.ts";

export interface Received {
  readonly position: number;
  readonly id: string;
  readonly topicId: string;
  readonly fromUserId: string;
  readonly message: string;
  readonly createdAt: Date;
  readonly recipientCount: number;
  readonly seen: boolean;
}

export interface InboxFilter {
  readonly topicId: string | null;
  readonly fromUserId: string | null;
  /** Only those that are, or aren't, acknowledged by the viewer. */
  readonly seen: boolean | null;
}

/** A part of a statement. */
type Part = PendingQuery<Row[]>;

/** The most ids that one acknowledgement may name. */
const ACKNOWLEDGE_LIMIT = 1_000;

export class Inbox {
  readonly #acknowledging: Acknowledging;

  constructor(private readonly sql: Sql) {
    this.#acknowledging = new Acknowledging(sql);
  }

  /** Newest first, older than position `before`. */
  page(viewerId: string, filter: InboxFilter, before: number | null, limit: number): Promise<Received[]> {
    const { sql } = this;
    const upper = before ?? Number.MAX_SAFE_INTEGER;
    const { topicId, fromUserId, seen } = filter;
    const positions = sql`select inbox_positions(${viewerId}, ${topicId}, ${fromUserId}, ${seen}, ${upper}, ${limit})`;
    return sql<Received[]>`${this.#notifications(viewerId, positions)} order by position desc`;
  }

  /**
   * Oldest first, with positions from behind `after` up to `upTo`: no more than `limit`, and none behind those whose messages have
   * `mostBytes` together.
   */
  async missed(
    viewerId: string,
    topicId: string | null,
    after: number,
    upTo: number,
    limit: number,
    mostBytes = Number.MAX_SAFE_INTEGER,
  ): Promise<Received[]> {
    const { sql } = this;
    const positions = sql`
        select position from (
          select b.position from subscriptions s join topics t on t.id = s.topic_id cross join lateral (
            select f.position from feed f where (f.topic_id, f.position) > (s.topic_id, greatest(s.joined, ${after}))
              and (f.topic_id, f.position) < (s.topic_id, least(s."left", ${upTo + 1}))
              and f.number is not null and not f.retracted order by f.topic_id, f.position limit ${limit}
          ) b where s.user_id = ${viewerId} and ${this.#topicIs(topicId)}
          union all
          select r.position from inboxes i join topics t on t.id = i.topic_id cross join lateral (
            select r.position from recipients r where r.user_id = i.user_id and r.topic_id = i.topic_id
              and r.position > ${after} and r.position <= ${upTo} order by r.position limit ${limit}
          ) r where i.user_id = ${viewerId} and i.targeted > 0 and ${this.#topicIs(topicId)}
        ) all_of_them order by position limit ${limit}`;
    const rows = await sql<(Received & { before: unknown })[]>`select * from (
        select missed.*, sum(octet_length(message)) over (order by position) - octet_length(message) as before
          from (${this.#notifications(viewerId, positions)}) missed
      ) sized where before < ${mostBytes} order by position`;
    return rows.map(({ before: _, ...row }) => row);
  }

  async unseenCount(viewerId: string, topicId: string | null): Promise<number> {
    const [row] = await this.sql<{ count: number }[]>`select unseen_count(${viewerId}, ${topicId}) as count`;
    return row!.count;
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
    const received = unique.length === 0 ? [] : await this.received(viewerId, unique.filter(isUuid));
    const found = new Map(received.map((one) => [one.id, { ...one, seen: true }]));
    const unknown = unique.filter((id) => !found.has(id));
    if (unknown.length > 0) {
      const shown = unknown.slice(0, 20).map((id) => id.slice(0, 64)).join(", ");
      throw new UserError("NOT_FOUND", `no such notification: ${shown}`, { unknownIds: unknown });
    }
    const unseen = received.filter((one) => !one.seen);
    if (unseen.length > 0) {
      await this.#acknowledging.each(unseen.map(({ id }) => ({ userId: viewerId, notificationId: id })));
    }
    return unique.map((id) => found.get(id)!);
  }

  /** Acknowledges what the viewer received up to position `upTo`, or all; how many became seen. Null is every topic. */
  acknowledgeAll(viewerId: string, topicId: string | null, upTo: number | null): Promise<number> {
    return this.#acknowledging.all({ userId: viewerId, topicId, upTo });
  }

  /** Of `ids`, those that the viewer received, in no order. */
  received(viewerId: string, ids: readonly string[]): Promise<Received[]> {
    return this.#byIds(viewerId, ids, this.sql`false`);
  }

  /** Of `ids`, those that the viewer received or sent, in no order. */
  known(viewerId: string, ids: readonly string[]): Promise<Received[]> {
    return this.#byIds(viewerId, ids, this.sql`t.created_by = ${viewerId}`);
  }

  async #byIds(viewerId: string, ids: readonly string[], orElse: Part): Promise<Received[]> {
    if (ids.length === 0) return [];
    const { sql } = this;
    const positions = sql`
        select f.position from unnest(${[...ids]}::uuid[]) as given (id) cross join lateral (
          select * from feed f where f.notification_id = given.id and f.kind = 'notification' and not f.retracted offset 0
        ) f cross join lateral (select * from topics t where t.id = f.topic_id and t.deleted_at is null offset 0) t
        where ${orElse} or case when f.targeted then
          exists (select from recipients r where r.user_id = ${viewerId} and r.topic_id = f.topic_id and r.position = f.position offset 0)
        else
          exists (select from subscriptions s where s.topic_id = f.topic_id and s.user_id = ${viewerId}
            and s.joined < f.position and (s."left" is null or s."left" > f.position) offset 0)
        end`;
    return await sql<Received[]>`${this.#notifications(viewerId, positions)}`;
  }

  /** What the viewer sent, newest first, older than position `before`: of the topics that are theirs. */
  sent(viewerId: string, topicId: string | null, before: number | null, limit: number): Promise<Received[]> {
    const { sql } = this;
    const upper = before ?? Number.MAX_SAFE_INTEGER;
    const part = (condition: Part) =>
      sql`(select f.position from feed f where (f.topic_id, f.position) > (t.id, 0) and (f.topic_id, f.position) < (t.id, ${upper})
        and ${condition} and not f.retracted order by f.topic_id desc, f.position desc limit ${limit})`;
    const positions = sql`
        select p.position from topics t cross join lateral (
          ${part(sql`f.number is not null`)} union all ${part(sql`f.targeted`)}
        ) p where t.created_by = ${viewerId} and ${this.#topicIs(topicId)} order by p.position desc limit ${limit}`;
    return sql<Received[]>`${this.#notifications(viewerId, positions)} order by position desc`;
  }

  /** How many have acknowledged each notification of `ids`. */
  async seenCounts(ids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.sql<{ id: string; count: number }[]>`
      select given.id, case when f.targeted then (
          select count(*) from unnest(n.recipients) as named join recipients r
            on r.user_id = named and r.topic_id = f.topic_id and r.position = f.position
            join inboxes i on i.user_id = named and i.topic_id = f.topic_id where r.seen or r.position <= i.seen_to
        ) else f.seen_count + seen_by_ranges(f.topic_id, f.number) end as count
      from unnest(${[...ids]}::uuid[]) as given (id)
        cross join lateral (select * from feed f where f.notification_id = given.id and f.kind = 'notification' offset 0) f
        cross join lateral (select * from notifications n where n.id = given.id offset 0) n`;
    return new Map(rows.map(({ id, count }) => [id, count]));
  }

  /**
   * Takes a notification out of all inboxes and counts; again is fine.
   * @throws UserError `NOT_FOUND`, or `FORBIDDEN` to who received it
   */
  async retract(viewerId: string, id: string): Promise<void> {
    if (!isUuid(id)) throw new UserError("NOT_FOUND", "there is no such notification");
    try {
      await this.sql`select retract_notification(${id}, ${viewerId})`;
    } catch (error) {
      const raised = raisedError(error);
      if (raised instanceof UserError && (await this.received(viewerId, [id])).length > 0) {
        throw new UserError("FORBIDDEN", "only its sender may take a notification back");
      }
      throw raised;
    }
  }

  /** What stands at the positions that a query gives; open at its end for an order. */
  #notifications(viewerId: string, positions: Part) {
    return this.sql`
      select position, id, topic_id as "topicId", from_user_id as "fromUserId", message, created_at as "createdAt",
        recipient_count as "recipientCount", seen from notifications_at(${viewerId}, array(${positions}))`;
  }

  /** A condition on the topic `t`. */
  #topicIs(topicId: string | null) {
    const { sql } = this;
    return sql`t.deleted_at is null ${topicId === null ? sql`` : sql`and t.id = ${topicId}`}`;
  }
}
