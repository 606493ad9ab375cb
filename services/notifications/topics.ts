/**
 * The SQL of topics: who sees them, and what their creators change. Lists are topic_list.ts's, subscriptions are members.ts's.
 * Nothing that a topic is asked for by may leave out may_see_topic() (migrations/000004_inbox.sql).
 */

import type { Sql } from "../../kit/database.ts";
import { errorCode, UNIQUE_VIOLATION } from "../../kit/database_errors.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid, newId } from "../../kit/ids.ts";
import { isStorable } from "../../kit/text.ts";
import { checkName, checkRetentionDays } from "./topic_input.ts";

export interface TopicSettings {
  readonly name: string;
  readonly status: "ACTIVE" | "INACTIVE";
  /** INVITE: only its creator, the invited and its subscribers see it. */
  readonly visibility: "PUBLIC" | "INVITE";
  readonly retentionDays: number;
}

export interface Topic extends TopicSettings {
  readonly id: string;
  readonly createdById: string;
  readonly createdAt: Date;
}

/** What is null or absent stays as it is. */
export type TopicChange = { readonly [Name in keyof TopicSettings]?: TopicSettings[Name] | null };

export interface NewTopic {
  readonly name: string;
  /** 30 where it is null. */
  readonly retentionDays?: number | null;
  /** PUBLIC where it is null. */
  readonly visibility?: TopicSettings["visibility"] | null;
}

const RETENTION_DAYS = 30;

export class Topics {
  constructor(private readonly sql: Sql) {}

  /** @throws UserError `BAD_USER_INPUT`, or `CONFLICT` for a name that is taken (without regard to case) */
  async create({ name, retentionDays, visibility }: NewTopic, createdById: string): Promise<Topic> {
    const { sql } = this;
    const days = retentionDays ?? RETENTION_DAYS;
    checkRetentionDays(days);
    const rows = await sql<Topic[]>`
      insert into topics (id, name, created_by, retention_days, visibility)
      values (${newId()}, ${checkName(name)}, ${createdById}, ${days}, ${visibility ?? "PUBLIC"})
      returning ${topicColumns(sql)}`.catch(raiseNameTaken);
    return rows[0]!;
  }

  /**
   * By its creator only. What changes is announced to the gateways, in its place among the notifications.
   * @throws UserError `NOT_FOUND`, `FORBIDDEN`, and as {@link create} does
   */
  async change(topicId: string, viewerId: string, change: TopicChange): Promise<Topic> {
    const name = change.name == null ? null : checkName(change.name);
    if (change.retentionDays != null) checkRetentionDays(change.retentionDays);
    const given = Object.entries({ ...change, name }).filter(([, value]) => value != null);
    return await this.asCreator(topicId, viewerId, change.visibility != null, async (sql, topic) => {
      const changed: Topic = { ...topic, ...Object.fromEntries(given) };
      const { status, visibility, retentionDays } = changed;
      if (given.every(([key, value]) => topic[key as keyof Topic] === value)) return topic;
      await sql`update topics set name = ${changed.name}, status = ${status}, visibility = ${visibility},
        retention_days = ${retentionDays} where id = ${topic.id}`.catch(raiseNameTaken);
      await sql`select announce('topic', ${topic.id}, null, null)`;
      return changed;
    });
  }

  /** By its creator only: it is gone for everybody at once, and its name is free. @throws UserError `NOT_FOUND`, `FORBIDDEN` */
  async delete(topicId: string, viewerId: string): Promise<void> {
    await this.asCreator(topicId, viewerId, true, async (sql, { id }) => {
      await sql`update topics set deleted_at = now() where id = ${id}`;
      await sql`select announce('delete', ${id}, null, null)`;
    });
  }

  /**
   * Runs `use` in a transaction that holds the topic's row. `holdsOrder`: nobody joins, leaves or gets a position meanwhile, so that
   * whoever joins does so before a change of who may, or is refused after it. That lock comes first, as it does where numbering takes it.
   * @throws UserError `NOT_FOUND`, or `FORBIDDEN` to all but the creator
   */
  async asCreator<Result>(
    topicId: string,
    viewerId: string,
    holdsOrder: boolean,
    use: (sql: Sql, topic: Topic) => Promise<Result>,
  ): Promise<Result> {
    if (!isUuid(topicId)) throw noSuchTopic();
    return await this.sql.begin(async (transaction) => {
      const sql = transaction as unknown as Sql;
      if (holdsOrder) await sql`select pg_advisory_xact_lock(x'4e544658'::int, 1)`;
      const [topic] = await sql<Topic[]>`
        select ${
        topicColumns(sql)
      } from topics where id = ${topicId} and may_see_topic(topics.id, ${viewerId}) for update`;
      if (topic === undefined) throw noSuchTopic();
      if (topic.createdById !== viewerId) throw new UserError("FORBIDDEN", "only the creator of a topic may do this");
      return await use(sql, topic);
    }) as Result;
  }

  /** @throws UserError `NOT_FOUND` for one that the viewer doesn't see, which is to them as one that isn't there */
  async one(topicId: string, viewerId: string): Promise<Topic> {
    const topic = await this.find(topicId, viewerId);
    if (topic === null) throw noSuchTopic();
    return topic;
  }

  /** Null for one that the viewer doesn't see. */
  async find(topicId: string, viewerId: string): Promise<Topic | null> {
    if (!isUuid(topicId)) return null;
    const { sql } = this;
    const [topic] = await sql<Topic[]>`
      select ${topicColumns(sql)} from topics where id = ${topicId} and may_see_topic(topics.id, ${viewerId})`;
    return topic ?? null;
  }

  /** Null for one that the viewer doesn't see. */
  async findByName(name: string, viewerId: string): Promise<Topic | null> {
    if (!isStorable(name)) return null;
    const { sql } = this;
    const [topic] = await sql<Topic[]>`
      select ${
      topicColumns(sql)
    } from topics where lower(name) = lower(${name.trim()}) and may_see_topic(topics.id, ${viewerId})`;
    return topic ?? null;
  }

  /**
   * The topics of notifications that the viewer has sent or received, in the order of `ids`; null for one that is unknown to them.
   * These name their topic still when the viewer has left it, or it was deleted a moment ago.
   */
  async known(ids: readonly string[], viewerId: string): Promise<(Topic | null)[]> {
    const { sql } = this;
    const valid = ids.filter(isUuid);
    const rows = valid.length === 0 ? [] : await sql<Topic[]>`
      select ${topicColumns(sql)} from topics where id in ${sql(valid)} and (created_by = ${viewerId}
        or exists (select from subscriptions s where s.topic_id = topics.id and s.user_id = ${viewerId})
        or may_see_topic(topics.id, ${viewerId}))`;
    const found = new Map(rows.map((topic) => [topic.id, topic]));
    return ids.map((id) => found.get(id.toLowerCase()) ?? null);
  }
}

export function topicColumns(sql: Sql) {
  return sql`topics.id, name, status, visibility, retention_days as "retentionDays", created_by as "createdById",
    created_at as "createdAt"`;
}

export function noSuchTopic(): UserError {
  return new UserError("NOT_FOUND", "there is no such topic");
}

/**
 * Names are one space for everybody, or `topic(name)` would be two topics to someone who is invited later. So this alone tells
 * that there is a topic that one doesn't see: its name, which was guessed, and neither its id nor whose it is.
 */
function raiseNameTaken(error: unknown): never {
  if (errorCode(error) !== UNIQUE_VIOLATION) throw error;
  throw new UserError("CONFLICT", "there is a topic of this name already");
}
