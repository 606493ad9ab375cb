/**
 * Lists of topics, newest first. A page costs what it shows, and not how many topics there are that the viewer doesn't see: PUBLIC ones
 * are read in the order of an index, and to these come the INVITE ones that are the viewer's.
 */

import type { Sql } from "../../kit/database.ts";
import { containing, SEARCH_FALLBACK_ROWS, SEARCH_NEAR_ROWS, SearchIndex } from "../../kit/search.ts";
import { type Topic, topicColumns } from "./topics.ts";

export interface TopicFilter {
  /** Only those that the viewer is, or isn't, subscribed to. */
  readonly subscribed: boolean | null;
  /** Only those that the viewer created, or that others did. */
  readonly mine: boolean | null;
  /** What their name holds, without regard to case; empty is everything. */
  readonly search: string;
}

export class TopicList {
  readonly #index: SearchIndex;

  constructor(private readonly sql: Sql) {
    this.#index = new SearchIndex(sql, "topics_search");
  }

  /** Up to `limit` topics behind the topic `after`. */
  async page(viewerId: string, filter: TopicFilter, after: string | null, limit: number): Promise<Topic[]> {
    if (filter.subscribed === true) return await this.#subscribed(viewerId, filter, after, limit);
    if (filter.mine === true) return await this.#created(viewerId, filter, after, limit);
    const [open, own] = await Promise.all([
      this.#open(viewerId, filter, after, limit),
      this.#own(viewerId, filter, after, limit),
    ]);
    // By id: one that becomes INVITE between the two is in both.
    const byId = new Map([...open, ...own].map((topic) => [topic.id, topic]));
    return [...byId.values()].sort((a, b) => a.id < b.id ? 1 : -1).slice(0, limit);
  }

  /** PUBLIC ones. */
  async #open(viewerId: string, filter: TopicFilter, after: string | null, limit: number): Promise<Topic[]> {
    const { sql } = this;
    const open = sql`select * from topics where visibility = 'PUBLIC' and deleted_at is null ${this.#behind(after)}`;
    const amongNearest = (rows: number | null) =>
      sql<Topic[]>`with topics as (${open} order by id desc limit ${rows}) select ${topicColumns(sql)} from topics
        where true ${this.#matching(viewerId, filter)} order by id desc limit ${limit}`;
    if (filter.search === "") return await amongNearest(null);
    const near = await amongNearest(SEARCH_NEAR_ROWS);
    if (near.length === limit) return near;
    if (!await this.#index.serves(filter.search)) return await amongNearest(SEARCH_FALLBACK_ROWS);
    // Materialized, or the planner might well walk through all topics in their order instead of asking the index.
    const found = sql`${open} and ${this.#named(filter.search)}`;
    return await sql<Topic[]>`with topics as materialized (${found}) select ${topicColumns(sql)} from topics
      where true ${this.#matching(viewerId, { ...filter, search: "" })} order by id desc limit ${limit}`;
  }

  /** INVITE ones that the viewer made, is invited to, or is subscribed to. */
  #own(viewerId: string, filter: TopicFilter, after: string | null, limit: number): Promise<Topic[]> {
    const { sql } = this;
    return sql<Topic[]>`
      select ${topicColumns(sql)} from topics where id in (
          select id from topics where created_by = ${viewerId} and visibility = 'INVITE' and deleted_at is null
          union select topic_id from invitations where user_id = ${viewerId}
          union select topic_id from subscriptions where user_id = ${viewerId} and "left" is null)
        and visibility = 'INVITE' and deleted_at is null ${this.#behind(after)} ${this.#matching(viewerId, filter)}
      order by id desc limit ${limit}`;
  }

  #subscribed(viewerId: string, filter: TopicFilter, after: string | null, limit: number): Promise<Topic[]> {
    const { sql } = this;
    return sql<Topic[]>`
      select ${topicColumns(sql)} from subscriptions s join topics on topics.id = s.topic_id
      where s.user_id = ${viewerId} and s."left" is null and deleted_at is null
        ${after === null ? sql`` : sql`and s.topic_id < ${after}`} ${
      this.#matching(viewerId, { ...filter, subscribed: null })
    }
      order by s.topic_id desc limit ${limit}`;
  }

  /** Read by the index of their creators, which has few of each. */
  #created(viewerId: string, filter: TopicFilter, after: string | null, limit: number): Promise<Topic[]> {
    const { sql } = this;
    return sql<Topic[]>`
      select ${topicColumns(sql)} from topics where created_by = ${viewerId} and deleted_at is null
        ${this.#behind(after)} ${this.#matching(viewerId, { ...filter, mine: null })}
      order by id desc limit ${limit}`;
  }

  #behind(after: string | null) {
    return after === null ? this.sql`` : this.sql`and id < ${after}`;
  }

  #matching(viewerId: string, { subscribed, mine, search }: TopicFilter) {
    const { sql } = this;
    const stay =
      sql`exists (select from subscriptions s where s.topic_id = topics.id and s.user_id = ${viewerId} and s."left" is null)`;
    return sql`${search === "" ? sql`` : sql`and ${this.#named(search)}`} ${
      subscribed === false ? sql`and not ${stay}` : sql``
    } ${mine === null ? sql`` : sql`and (created_by = ${viewerId}) = ${mine}`}`;
  }

  #named(search: string) {
    return this.sql`lower(name) like lower(${containing(search)})`;
  }
}
