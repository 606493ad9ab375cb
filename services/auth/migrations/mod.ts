/** Auth's migrations, oldest first. They are imported as text, so that reading them takes no permission. */

import { MAIL_OUTBOX_MIGRATION } from "../../../kit/mail_outbox.ts";
import type { Migration } from "../../../kit/migrations.ts";
import users from "./000001_users.sql" with { type: "text" };
import sessions from "./000002_sessions.sql" with { type: "text" };
import signingKeys from "./000003_signing_keys.sql" with { type: "text" };
import endedSessions from "./000004_ended_sessions.sql" with { type: "text" };
import userSearch from "./000005_user_search.sql" with { type: "text" };
import account from "./000006_account.sql" with { type: "text" };

export const MIGRATIONS: readonly Migration[] = [
  { name: "000001_users", sql: users },
  { name: "000002_sessions", sql: sessions },
  { name: "000003_signing_keys", sql: signingKeys },
  { name: "000004_ended_sessions", sql: endedSessions },
  { name: "000005_user_search", sql: userSearch },
  MAIL_OUTBOX_MIGRATION,
  { name: "000006_account", sql: account },
];
