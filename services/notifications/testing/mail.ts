/** A database with topics of Ann's, and what makes mails of what is sent to them, a step at a time. */

import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../../kit/database.ts";
import { newId } from "../../../kit/ids.ts";
import type { Mail } from "../../../kit/mail_outbox.ts";
import { withDatabase } from "../../../kit/testing/database.ts";
import type { Address } from "../../../kit/addresses.ts";
import { MailFollower } from "../mail/follower.ts";
import { HandOver } from "../mail/hand_over.ts";
import { type MailPreference, MailPreferences, NO_MAIL } from "../mail/preferences.ts";
import { migrations } from "../migrations/mod.ts";

export const [ANN, BOB, CARL, DORA, NEWS, LUNCH] = ["a", "b", "c", "d", "e", "f"].map((digit) =>
  `00000000-0000-7000-8000-00000000000${digit}`
) as [string, string, string, string, string, string];

/** Auth as the tests need it: everybody has an address, unless they say otherwise. */
export interface TestAddresses {
  of(ids: Iterable<string>): Promise<Map<string, Address>>;
}

export class MailWorld {
  readonly preferences: MailPreferences;
  readonly follower: MailFollower;

  constructor(readonly sql: Sql, readonly url: string) {
    this.preferences = new MailPreferences(sql);
    this.follower = this.newFollower();
  }

  newFollower(sql = this.sql): MailFollower {
    return new MailFollower({ sql, feed: { position: 0 }, digestHour: 6, log: getLogger("test") });
  }

  newHandOver(addresses: TestAddresses = EVERYBODY): HandOver {
    return new HandOver({ sql: this.sql, addresses, publicUrl: "http://public.example", log: getLogger("test") });
  }

  async want(userId: string, wanted: Partial<MailPreference>, topicId = NEWS): Promise<void> {
    await this.preferences.set(topicId, userId, { ...NO_MAIL, ...wanted });
  }

  async join(userId: string, topicId = NEWS): Promise<void> {
    await this.sql`select join_topic(${topicId}, ${userId})`;
  }

  /** The notification's id; it has its position then. */
  async send(message: string, topicId = NEWS, to: readonly string[] = []): Promise<string> {
    const id = newId();
    await this.sql`select prepare_notification(${id}, ${topicId}, ${ANN}, ${message}, ${[...to]}::uuid[])`;
    await this.sql`select number_pending()`;
    return id;
  }

  /** What is due now or later, as `user's last digit: message`, in no order. */
  async due(): Promise<string[]> {
    const rows = await this.sql<{ user_id: string; message: string; kind: string }[]>`
      select d.user_id, n.message, d.kind from mail_due d join feed f on f.position = d.position
        join notifications n on n.id = f.notification_id
      union all select user_id, first_position || '-' || last_position, every from digest_due`;
    return rows.map(({ user_id, message, kind }) => `${user_id.at(-1)} ${kind} ${message}`).sort();
  }

  /** Time passes for what is due. */
  async pass(time: string): Promise<void> {
    await this.sql`update mail_due set due_at = due_at - ${time}::interval`;
    await this.sql`update digest_due set due_at = due_at - ${time}::interval`;
  }

  /** Follows the feed and hands over what is due; the mails that there are in the outbox then. */
  async mails(): Promise<Mail[]> {
    await this.follower.follow();
    const handOver = this.newHandOver();
    await handOver.handOver();
    await handOver.stop();
    return await this.outbox();
  }

  async outbox(): Promise<Mail[]> {
    const rows = await this.sql<
      { mail: Mail }[]
    >`select mail from mail_outbox order by mail ->> 'to', mail -> 'data' ->> 'at'`;
    return rows.map(({ mail }) => mail);
  }

  /** The outbox as `user's last digit: message`, and digests with their messages. */
  async told(): Promise<string[]> {
    return (await this.mails()).map(({ to, template, data }) => {
      const { message, entries, more } = data as { message: string; entries: { message: string }[]; more: number };
      return `${to[0]} ${
        template === "digest" ? `${entries.map((entry) => entry.message).join(", ")} +${more}` : message
      }`;
    });
  }
}

export const EVERYBODY: TestAddresses = {
  of: (ids) =>
    Promise.resolve(new Map([...ids].map((id) => [id, { email: `${id.at(-1)}@example.com`, confirmed: true }]))),
};

/** Two topics of Ann's, to which Bob, Carl and Dora are subscribed. */
export async function withMail(use: (world: MailWorld) => Promise<void>): Promise<void> {
  await withDatabase(migrations, async (sql, url) => {
    await sql`insert into topics (id, name, created_by) values (${NEWS}, 'news', ${ANN}), (${LUNCH}, 'lunch', ${ANN})`;
    const world = new MailWorld(sql, url);
    for (const userId of [BOB, CARL, DORA]) for (const topicId of [NEWS, LUNCH]) await world.join(userId, topicId);
    await use(world);
  });
}
