/** The migrations of notifications, in their order. */

import { MAIL_OUTBOX_MIGRATION } from "../../../kit/mail_outbox.ts";
import { OUTCOMES_MIGRATION } from "../../../kit/participant/mod.ts";
import topics from "./000001_topics.sql" with { type: "text" };
import feed from "./000002_feed.sql" with { type: "text" };
import topicSettings from "./000003_topics.sql" with { type: "text" };
import epoch from "./000004_epoch.sql" with { type: "text" };
import inbox from "./000004_inbox.sql" with { type: "text" };
import acknowledgements from "./000004_inbox_acknowledgements.sql" with { type: "text" };
import pages from "./000004_inbox_pages.sql" with { type: "text" };
import retention from "./000004_inbox_retention.sql" with { type: "text" };
import topicLists from "./000005_topic_lists.sql" with { type: "text" };
import mail from "./000006_mail.sql" with { type: "text" };
import mailFollower from "./000006_mail_follower.sql" with { type: "text" };
import mailHandOver from "./000006_mail_hand_over.sql" with { type: "text" };
import traces from "./000007_traces.sql" with { type: "text" };

export const migrations = [
  OUTCOMES_MIGRATION,
  { name: "000001_topics", sql: topics },
  { name: "000002_feed", sql: feed },
  { name: "000003_topics", sql: topicSettings },
  { name: "000004_epoch", sql: epoch },
  { name: "000004_inbox", sql: inbox },
  { name: "000004_inbox_acknowledgements", sql: acknowledgements },
  { name: "000004_inbox_pages", sql: pages },
  { name: "000004_inbox_retention", sql: retention },
  { name: "000005_topic_lists", sql: topicLists },
  MAIL_OUTBOX_MIGRATION,
  { name: "000006_mail", sql: mail },
  { name: "000006_mail_follower", sql: mailFollower },
  { name: "000006_mail_hand_over", sql: mailHandOver },
  { name: "000007_traces", sql: traces },
];
