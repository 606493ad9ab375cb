/**
 * The SQL of who wants which topic's notifications by mail (migrations/000006_mail.sql). In: a viewer's choice. Out: rows that the follower
 * of the feed reads (follower.ts).
 */

import type { Sql } from "../../../kit/database.ts";
import { raisedError } from "../../../kit/database_errors.ts";
import { UserError } from "../../../kit/errors.ts";
import { isUuid } from "../../../kit/ids.ts";
import { noSuchTopic, type Topic, topicColumns } from "../topics.ts";

export interface MailPreference {
  readonly preference: "NEVER" | "WHEN_AWAY" | "ALWAYS" | "DIGEST";
  /** Of DIGEST. */
  readonly every: "HOUR" | "DAY";
  /** Of WHEN_AWAY: for so long a mail waits for the acknowledgement that makes it needless. */
  readonly afterMinutes: number;
}

/** Of who has chosen nothing; the schema names these defaults as well. */
export const NO_MAIL: MailPreference = { preference: "NEVER", every: "DAY", afterMinutes: 10 };
/** The longest wait of WHEN_AWAY, in minutes: a week; migrations/000006_mail.sql has it as well. */
const AFTER_MINUTES_LIMIT = 10_080;

export class MailPreferences {
  constructor(private readonly sql: Sql) {}

  /**
   * For a topic that the viewer sees; it counts while they are subscribed. Again is fine.
   * @throws UserError `BAD_USER_INPUT`, `NOT_FOUND`
   */
  async set(topicId: string, viewerId: string, { preference, every, afterMinutes }: MailPreference): Promise<void> {
    if (afterMinutes < 0 || afterMinutes > AFTER_MINUTES_LIMIT) {
      throw new UserError(
        "BAD_USER_INPUT",
        `afterMinutes is ${afterMinutes}; it takes a number from 0 to ${AFTER_MINUTES_LIMIT}`,
      );
    }
    if (!isUuid(topicId)) throw noSuchTopic();
    await this.sql`select set_mail_preference(${viewerId}, ${topicId}, ${preference}, ${every}, ${afterMinutes})`
      .catch((error) => {
        throw raisedError(error);
      });
  }

  /** The viewer's for each topic of `ids`. */
  async of(ids: readonly string[], viewerId: string): Promise<Map<string, MailPreference>> {
    const rows = await this.sql<(MailPreference & { topicId: string })[]>`
      select topic_id as "topicId", preference, every, after_minutes as "afterMinutes" from mail_preferences
      where user_id = ${viewerId} and topic_id in ${this.sql([...ids])}`;
    return new Map(rows.map(({ topicId, ...one }) => [topicId, one]));
  }

  /** Topics that the viewer sees and of which they want mail, newest first: up to `limit` behind the topic `after`. */
  async topics(viewerId: string, after: string | null, limit: number): Promise<Topic[]> {
    const { sql } = this;
    return await sql<Topic[]>`
      select ${topicColumns(sql)} from mail_preferences p join topics on topics.id = p.topic_id
      where p.user_id = ${viewerId} and p.preference <> 'NEVER' and may_see_topic(topics.id, ${viewerId})
        ${after === null ? sql`` : sql`and p.topic_id < ${after}`}
      order by p.topic_id desc limit ${limit}`;
  }
}
