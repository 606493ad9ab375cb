/** The SQL of topics and subscriptions. A join or leave takes its place in the feed (migrations/000002_feed.sql). */

import type { Sql } from "../../kit/database.ts";
import { errorCode, raisedError, UNIQUE_VIOLATION } from "../../kit/database_errors.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid, newId } from "../../kit/ids.ts";
import { characters, isStorable } from "../../kit/text.ts";

export interface Topic {
  readonly id: string;
  readonly name: string;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly createdById: string;
  readonly createdAt: Date;
}

/** The longest name of a topic, in characters. */
const NAME_LIMIT = 100;

export class Topics {
  constructor(private readonly sql: Sql) {}

  /** @throws UserError `BAD_USER_INPUT` for a name that is none, `CONFLICT` for one that is taken (without regard to case) */
  async create(name: string, createdById: string): Promise<Topic> {
    const trimmed = checkName(name);
    try {
      const rows = await this.sql<Topic[]>`
        insert into topics (id, name, created_by) values (${newId()}, ${trimmed}, ${createdById}) returning ${this.#columns()}`;
      return rows[0]!;
    } catch (error) {
      if (errorCode(error) === UNIQUE_VIOLATION) {
        throw new UserError("CONFLICT", "there is a topic of this name already");
      }
      throw error;
    }
  }

  /** @throws UserError `NOT_FOUND`, or `FORBIDDEN` to all but the creator */
  async setStatus(topicId: string, status: Topic["status"], viewerId: string): Promise<Topic> {
    const topic = await this.one(topicId);
    if (topic.createdById !== viewerId) throw new UserError("FORBIDDEN", "only the creator of a topic may do this");
    const rows = await this.sql<
      Topic[]
    >`update topics set status = ${status} where id = ${topicId} returning ${this.#columns()}`;
    return rows[0]!;
  }

  /** @throws UserError `NOT_FOUND` */
  async one(topicId: string): Promise<Topic> {
    const [topic] = await this.byIds([topicId]);
    if (topic === null || topic === undefined) throw noSuchTopic();
    return topic;
  }

  /** In the order of `ids`; null for one that doesn't exist. */
  async byIds(ids: readonly string[]): Promise<(Topic | null)[]> {
    const valid = ids.filter(isUuid);
    const rows = valid.length === 0
      ? []
      : await this.sql<Topic[]>`select ${this.#columns()} from topics where id in ${this.sql(valid)}`;
    const found = new Map(rows.map((topic) => [topic.id, topic]));
    return ids.map((id) => found.get(id.toLowerCase()) ?? null);
  }

  async byName(name: string): Promise<Topic | null> {
    if (!isStorable(name)) return null;
    const rows = await this.sql<
      Topic[]
    >`select ${this.#columns()} from topics where lower(name) = lower(${name.trim()})`;
    return rows[0] ?? null;
  }

  /** Newest first, behind the topic `after`; `subscribed` keeps those that the viewer is, or isn't, subscribed to. */
  list(viewerId: string, after: string | null, limit: number, subscribed: boolean | null): Promise<Topic[]> {
    const { sql } = this;
    const stay =
      sql`exists (select from subscriptions s where s.topic_id = topics.id and s.user_id = ${viewerId} and s."left" is null)`;
    return sql<Topic[]>`select ${this.#columns()} from topics where true
      ${after === null ? sql`` : sql`and id < ${after}`}
      ${subscribed === null ? sql`` : sql`and ${subscribed ? sql`` : sql`not`} ${stay}`}
      order by id desc limit ${limit}`;
  }

  /** @throws UserError `NOT_FOUND` */
  async join(topicId: string, userId: string): Promise<void> {
    if (!isUuid(topicId)) throw noSuchTopic();
    await this.sql`select join_topic(${topicId}, ${userId})`.catch(raise);
  }

  /** @throws UserError `NOT_FOUND` */
  async leave(topicId: string, userId: string): Promise<void> {
    if (!isUuid(topicId)) throw noSuchTopic();
    await this.sql`select leave_topic(${topicId}, ${userId})`.catch(raise);
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
      select topic_id, count(*) as count from subscriptions where "left" is null and topic_id in ${
      this.sql([...ids])
    } group by topic_id`;
    return new Map(rows.map((row) => [row.topic_id, row.count]));
  }

  #columns() {
    return this.sql`id, name, status, created_by as "createdById", created_at as "createdAt"`;
  }
}

export function noSuchTopic(): UserError {
  return new UserError("NOT_FOUND", "there is no such topic");
}

function raise(error: unknown): never {
  throw raisedError(error);
}

function checkName(name: string): string {
  if (!isStorable(name)) {
    throw new UserError("BAD_USER_INPUT", "a name must be text without NUL characters or half surrogates");
  }
  const trimmed = name.trim();
  const length = characters(trimmed);
  if (length < 1 || length > NAME_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `a topic's name has 1 to ${NAME_LIMIT} characters`);
  }
  return trimmed;
}
