/** Topics, subscriptions and notifications: starts the service. */

import { COMMON_SETTINGS, DATABASE_SETTINGS, readConfig } from "../../kit/config.ts";
import { checkPreparedTransactions, serveParticipant } from "../../kit/participant/mod.ts";
import { runService } from "../../kit/service.ts";
import sdl from "../../schema/notifications.graphql" with { type: "text" };
import { Entities } from "./entities.ts";
import { Feed } from "./feed.ts";
import { NOTIFICATIONS_FIGURES } from "./figures.ts";
import { Inbox } from "./inbox.ts";
import { serveMail } from "./mail/mod.ts";
import { MailPreferences } from "./mail/preferences.ts";
import { Members } from "./members.ts";
import { migrations } from "./migrations/mod.ts";
import { resolvers } from "./resolvers.ts";
import { Resuming } from "./resuming.ts";
import { Retention } from "./retention.ts";
import { NOTIFICATIONS_SETTINGS } from "./settings.ts";
import { serveFeed } from "./stream.ts";
import { TopicList } from "./topic_list.ts";
import { Topics } from "./topics.ts";
import { sendNotification } from "./two_phase.ts";

const config = readConfig({ ...COMMON_SETTINGS, ...DATABASE_SETTINGS, ...NOTIFICATIONS_SETTINGS });

await runService({
  name: "notifications",
  config,
  participates: ["sendNotification"],
  async setUp(service) {
    const sql = await service.database(config, migrations);
    await checkPreparedTransactions(sql);
    const feed = new Feed(sql, service.log, () => service.directory.instances("notifications").length === 1);
    await feed.start();
    service.onStop("the feed", () => feed.stop());
    const retention = new Retention(sql, service.log);
    retention.start();
    service.onStop("retention", () => retention.stop());
    const inbox = new Inbox(sql);
    const topics = new Topics(sql);
    const preferences = new MailPreferences(sql);
    const parts = {
      sql,
      feed,
      inbox,
      topics,
      members: new Members(sql, topics),
      list: new TopicList(sql),
      preferences,
    };
    await service.subgraph({ sdl, resolvers: resolvers(parts) });
    serveParticipant(service, await service.transactions(config), { sendNotification: sendNotification(feed) });
    serveFeed(service, feed, new Resuming(sql, feed, inbox), new Entities(sql, feed));
    await serveMail(service, { sql, feed, config });
    service.dashboard.figures.push(...NOTIFICATIONS_FIGURES);
    service.statusPage.push(() => ({
      title: "Feed",
      columns: ["epoch", "position"],
      rows: [[feed.epoch, feed.position]],
    }));
  },
});
