/**
 * What gateways ask so that subscriptions begin and go on whole: who is subscribed to what at a position, what one viewer missed, and
 * who acknowledged what in a topic. In: cursors of clients. Out: pages that end at a position, behind which the feed's stream goes on.
 */

import { Buffer } from "node:buffer";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { cursorExpired, encodeFeedCursor } from "./cursors.ts";
import type { Feed } from "./feed.ts";
import type { Inbox, Received } from "./inbox.ts";
import { lostPosition } from "./lost.ts";
import { noSuchTopic } from "./topics.ts";

/** How many rows one page holds, and about how many bytes of messages. */
const PAGE = 500;
const PAGE_BYTES = 1024 * 1024;

export interface Viewer {
  readonly userId: string;
  /** Null is every topic. */
  readonly topicId: string | null;
}

export interface Membership {
  /** Of those asked for, the topics that the viewer is subscribed to. */
  readonly topicIds: readonly string[];
  /** Of the topic asked for. */
  readonly createdBy?: string;
  readonly error?: { readonly code: "NOT_FOUND"; readonly error: string };
}

export interface PageRequest extends Viewer {
  /** A client's cursor; null begins now. */
  readonly after: string | null;
  /** On the following pages, what the first one answered as `position`. */
  readonly upTo: number | null;
}

export interface Acknowledgement {
  readonly cursor: string;
  readonly position: number;
  readonly userId: string;
  readonly at: Date;
  /** One notification, or with null all up to the cursor `upTo`. */
  readonly notificationId: string | null;
  readonly upTo: string | null;
}

export class Resuming {
  constructor(private readonly sql: Sql, private readonly feed: Feed, private readonly inbox: Inbox) {}

  /** In the order of `viewers`, all of one snapshot: exactly what holds at `position`. */
  async memberships(viewers: readonly Viewer[]) {
    // An id that is none is nobody's topic: the nil UUID stands for it.
    const topicIds = viewers.map(({ topicId }) =>
      topicId === null || isUuid(topicId) ? topicId : "00000000-0000-0000-0000-000000000000"
    );
    const rows = await this.sql<
      {
        position: number;
        epoch: string;
        topic_id: string | null;
        visible: boolean;
        created_by: string | null;
        topic_ids: string[];
      }[]
    >`select h.position, feed_epoch() as epoch, v.topic_id, v.topic_id is null or may_see_topic(v.topic_id, v.user_id) as visible,
        (select created_by from topics t where t.id = v.topic_id) as created_by,
        array(select s.topic_id from subscriptions s join topics t on t.id = s.topic_id
          where s.user_id = v.user_id and s."left" is null and t.deleted_at is null
            and (v.topic_id is null or s.topic_id = v.topic_id)) as topic_ids
      from feed_head h left join unnest(${viewers.map(({ userId }) => userId)}::uuid[], ${topicIds}::uuid[])
        with ordinality as v (user_id, topic_id, nth) on true order by v.nth`;
    const { position, epoch } = rows[0]!;
    return {
      position,
      epoch,
      cursor: encodeFeedCursor(epoch, position),
      viewers: rows.slice(0, viewers.length).map((row): Membership =>
        !row.visible
          ? { topicIds: [], error: { code: "NOT_FOUND", error: noSuchTopic().message } }
          : row.topic_id === null
          ? { topicIds: row.topic_ids }
          : { topicIds: row.topic_ids, createdBy: row.created_by! }
      ),
    };
  }

  /**
   * What the viewer missed behind a cursor, oldest first.
   * @throws UserError `NOT_FOUND` for the topic, `BAD_USER_INPUT` or `CURSOR_EXPIRED` for the cursor
   */
  async missed({ userId, topicId, after, upTo }: PageRequest) {
    const from = after === null ? null : await this.#from(after, () => lostPosition(this.sql, userId, topicId, 0));
    const { position: now, viewers: [viewer] } = await this.memberships([{ userId, topicId }]);
    if (viewer!.error !== undefined) throw noSuchTopic();
    const position = upTo ?? now;
    let missed: Received[] = [];
    if (from !== null) {
      missed = await this.inbox.missed(userId, topicId, from, position, PAGE, PAGE_BYTES);
      // Looked at last: what is removed meanwhile is told by it, or still was on the page.
      const lost = await lostPosition(this.sql, userId, topicId, from);
      if (lost > from) throw cursorExpired(this.#cursor(lost));
    }
    return {
      position,
      cursor: this.#cursor(position),
      topicIds: viewer!.topicIds,
      missed: missed.map((one) => ({ ...one, cursor: this.#cursor(one.position) })),
      more: missed.length === PAGE || bytesOf(missed) >= PAGE_BYTES,
    };
  }

  /**
   * Who acknowledged what in a topic behind a cursor, oldest first.
   * @throws UserError as {@link missed}, and `FORBIDDEN` for all but the topic's creator
   */
  async acknowledgements(request: PageRequest & { topicId: string }) {
    const { userId, topicId, after, upTo } = request;
    const from = after === null ? null : await this.#from(after, () => this.#lostAcknowledgement(topicId));
    const { position: now, viewers: [viewer] } = await this.memberships([{ userId, topicId }]);
    if (viewer!.error !== undefined) throw noSuchTopic();
    if (viewer!.createdBy !== userId) {
      throw new UserError("FORBIDDEN", "only the creator of a topic may see who acknowledged what");
    }
    const position = upTo ?? now;
    const missed = from === null ? [] : await this.sql<
      { position: number; userId: string; at: Date; notificationId: string | null; about: number }[]
    >`select position, user_id as "userId", at, notification_id as "notificationId", about from feed
        where (topic_id, position) > (${topicId}, ${from}) and (topic_id, position) <= (${topicId}, ${position})
          and kind in ('seen', 'seenAll') order by topic_id, position limit ${PAGE}`;
    if (from !== null) {
      const lost = await this.#lostAcknowledgement(topicId);
      if (lost > from) throw cursorExpired(this.#cursor(lost));
    }
    return {
      position,
      cursor: this.#cursor(position),
      missed: missed.map(({ about, ...one }): Acknowledgement => ({
        ...one,
        cursor: this.#cursor(one.position),
        upTo: one.notificationId === null ? this.#cursor(about) : null,
      })),
      more: missed.length === PAGE,
    };
  }

  /** How many each has not seen, at `position`: one snapshot. */
  async unseen(userIds: readonly string[]): Promise<{ position: number; counts: number[] }> {
    const rows = await this.sql<{ position: number; count: number | null }[]>`
      select h.position, case when v.user_id is not null then unseen_count(v.user_id, null) end as count
      from feed_head h left join unnest(${[
      ...userIds,
    ]}::uuid[]) with ordinality as v (user_id, nth) on true order by v.nth`;
    return { position: rows[0]!.position, counts: rows.slice(0, userIds.length).map(({ count }) => count!) };
  }

  /** The position of `cursor`; of another epoch, all that was before `oldest` is gone. */
  async #from(cursor: string, oldest: () => Promise<number>): Promise<number> {
    return await this.feed.positionOf(cursor) ?? Promise.reject(cursorExpired(this.#cursor(await oldest())));
  }

  async #lostAcknowledgement(topicId: string): Promise<number> {
    if (!isUuid(topicId)) return 0;
    const [row] = await this.sql<{ lost: number }[]>`
      select lost_acknowledgement as lost from topic_heads where topic_id = ${topicId}`;
    return row?.lost ?? 0;
  }

  #cursor(position: number): string {
    return encodeFeedCursor(this.feed.epoch, position);
  }
}

function bytesOf(missed: readonly Received[]): number {
  return missed.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0);
}
