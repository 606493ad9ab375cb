/**
 * The links by which mails are ended (RFC 8058): `GET /unsubscribe/TOKEN` shows a page with a form and changes nothing, since programs that
 * look at mails follow every link; `POST` ends the mails, with no session, no cookie and no redirect, again and again. The token says
 * whose mails of what; the gateway passes these on (gateway/public_routes.ts).
 */

import type { Sql } from "../../../kit/database.ts";
import { reason } from "../../../kit/directory.ts";
import type { App, RequestContext } from "../../../kit/http.ts";
import type { Logger } from "../../../kit/log.ts";
import { LATER, publicPage } from "../../../kit/public_page.ts";
import { escapeHtml } from "../../../kit/status_page.ts";

/** What a token ends: the mails of a topic, whose name is null where its user may not know it any more, or a digest. */
interface Ends {
  readonly topic_name: string | null;
  readonly every: "HOUR" | "DAY" | null;
  readonly is_ended: boolean;
}

/** As migrations/000006_mail.sql makes them. */
const TOKEN = /^[0-9a-f]{64}$/;
const TITLE = "Mails from Notifyx";

export function addUnsubscribeRoutes(app: App, { sql, log }: { sql: Sql; log: Logger }): void {
  app.get("/unsubscribe/:token", (c) =>
    answer(c, log, async (token) => {
      const ends = await endsOf(sql, token);
      if (ends === undefined) return undefined;
      return ends.is_ended ? ended(ends) : asks(ends);
    }));
  app.post("/unsubscribe/:token", (c) =>
    answer(c, log, async (token) => {
      // Read before: afterwards the topic may be one that its user doesn't see.
      const ends = await endsOf(sql, token);
      await sql`select end_mail_of_token(${token})`;
      return ends && ended(ends);
    }));
}

async function endsOf(sql: Sql, token: string): Promise<Ends | undefined> {
  const [found] = await sql<Ends[]>`select * from mail_of_token(${token})`;
  return found;
}

/** The page that `use` gives for the token; 404 where it gives none. */
async function answer(
  c: RequestContext,
  log: Logger,
  use: (token: string) => Promise<string | undefined>,
): Promise<Response> {
  const token = c.req.param("token") ?? "";
  try {
    const found = TOKEN.test(token) ? await use(token) : undefined;
    return publicPage(c, found === undefined ? 404 : 200, TITLE, found ?? UNKNOWN);
  } catch (error) {
    log.warning("nobody can be unsubscribed: {error}", { error: reason(error) });
    return publicPage(c, 503, TITLE, LATER);
  }
}

function asks(ends: Ends): string {
  return `<h1>No more mails?</h1>
<p>You will get no more ${whatOf(ends)}.</p>
<form method="post"><button>Unsubscribe</button></form>`;
}

function ended(ends: Ends): string {
  return `<h1>You are unsubscribed</h1>
<p>You get no more ${whatOf(ends)}. What is sent to your topics stays in your inbox.</p>`;
}

const UNKNOWN = `<h1>This link is not known</h1>
<p>It may be incomplete, or what it was for is gone. What you get by mail you can choose where you are signed in.</p>`;

function whatOf({ topic_name, every }: Ends): string {
  if (every !== null) return every === "HOUR" ? "hourly summaries by mail" : "daily summaries by mail";
  return topic_name === null
    ? "mails of this topic"
    : `mails of the topic <strong><bdi>${escapeHtml(topic_name)}</bdi></strong>`;
}
