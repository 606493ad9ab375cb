/** Notifications by mail: starts what follows the feed, what hands over, and the pages that unsubscribe. */

import { Addresses } from "../../../kit/addresses.ts";
import { publicUrl } from "../../../kit/config.ts";
import type { CommonConfig } from "../../../kit/config.ts";
import type { Sql } from "../../../kit/database.ts";
import { MailOutbox } from "../../../kit/mail_outbox.ts";
import type { Service } from "../../../kit/service.ts";
import type { Feed } from "../feed.ts";
import { MailFollower } from "./follower.ts";
import { HandOver } from "./hand_over.ts";
import { COUNTED, type MailFigures, measureMail } from "./metrics.ts";
import { addUnsubscribeRoutes } from "./unsubscribe.ts";

export interface MailOptions {
  readonly sql: Sql;
  readonly feed: Feed;
  readonly config: CommonConfig & { readonly NOTIFYX_DIGEST_HOUR: number };
}

export async function serveMail(service: Service, { sql, feed, config }: MailOptions): Promise<void> {
  const { app, directory, secret, log, stopping, statusPage } = service;
  addUnsubscribeRoutes(app, { sql, log });

  const outbox = new MailOutbox({ sql, directory, secret, log, stopping });
  await outbox.start();
  service.onStop("the mails' outbox", () => outbox.stop());
  const addresses = new Addresses(directory, secret);
  const handOver = new HandOver({ sql, addresses, publicUrl: publicUrl(config), log });
  handOver.start();
  service.onStop("the mails that are due", () => handOver.stop());
  const follower = new MailFollower({ sql, feed, digestHour: config.NOTIFYX_DIGEST_HOUR, log });
  follower.start();
  service.onStop("the mails' follower", () => follower.stop());

  measureMail(() => figures(sql));
  statusPage.push(async () => {
    const { due, oldestSeconds, lag } = await figures(sql);
    return {
      title: "Notifications by mail",
      columns: ["due", "oldest, in seconds", "positions of the feed to follow"],
      rows: [[due === COUNTED ? `${due} or more` : due, Math.round(oldestSeconds), lag]],
    };
  });
  statusPage.push(() => outbox.section());
}

async function figures(sql: Sql): Promise<MailFigures> {
  const [row] = await sql<MailFigures[]>`select
    (select count(*) from (
      (select from mail_due where due_at <= now() limit ${COUNTED})
      union all (select from digest_due where due_at <= now() limit ${COUNTED}) limit ${COUNTED}) due) as due,
    coalesce(extract(epoch from now() - least((select min(due_at) from mail_due where due_at <= now()),
      (select min(due_at) from digest_due where due_at <= now()))), 0)::float8 as "oldestSeconds",
    (select position from feed_head) - (select position from mail_head) as lag`;
  return row!;
}
