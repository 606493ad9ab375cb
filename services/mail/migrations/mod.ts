/** The migrations of mail, in their order; the queue's own are graphile-worker's (queue.ts). */

import emails from "./000001_emails.sql" with { type: "text" };
import inbox from "./000002_inbox.sql" with { type: "text" };
import steady from "./000003_steady.sql" with { type: "text" };
import traces from "./000004_traces.sql" with { type: "text" };

export const migrations = [
  { name: "000001_emails", sql: emails },
  { name: "000002_inbox", sql: inbox },
  { name: "000003_steady", sql: steady },
  { name: "000004_traces", sql: traces },
];
