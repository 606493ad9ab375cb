/** Auth: users, their passwords and sessions, and the identities by which every other service knows who asks. */

import { COMMON_SETTINGS, DATABASE_SETTINGS, publicUrl, readConfig } from "../../kit/config.ts";
import { countDatabaseError } from "../../kit/database_metrics.ts";
import { MailOutbox } from "../../kit/mail_outbox.ts";
import { runService } from "../../kit/service.ts";
import sdl from "../../schema/auth.graphql" with { type: "text" };
import { addAccountPages } from "./account/pages.ts";
import { AccountRequests } from "./account/requests.ts";
import { EndedSessions } from "./ended_sessions.ts";
import { addEndedRoutes } from "./ended_stream.ts";
import { AUTH_FIGURES } from "./figures.ts";
import { Identities } from "./identities.ts";
import { measureHashes } from "./metrics.ts";
import { MIGRATIONS } from "./migrations/mod.ts";
import { Passwords } from "./passwords.ts";
import { authResolvers } from "./resolvers.ts";
import { addAuthRoutes } from "./routes.ts";
import { keepRemovingExpired } from "./sessions.ts";
import { AUTH_SETTINGS } from "./settings.ts";

const config = readConfig({ ...COMMON_SETTINGS, ...DATABASE_SETTINGS, ...AUTH_SETTINGS });

await runService({
  name: "auth",
  config,
  setUp: async (service) => {
    const { app, directory, log, secret, stopping } = service;
    const [sql, passwords] = await Promise.all([service.database(config, MIGRATIONS), Passwords.create()]);
    const confirmAddresses = config.NOTIFYX_CONFIRM_ADDRESSES === "on";
    const identities = await Identities.create(sql, confirmAddresses);
    measureHashes(passwords.turns);

    const ended = new EndedSessions(sql, log);
    await ended.start();
    service.onStop("the ended sessions", () => ended.stop());
    addAuthRoutes(app, { sql, identities, secret, confirmAddresses, log });
    addAccountPages(app, { sql, passwords, log });
    addEndedRoutes(app, { sql, ended, secret, stopping });
    const outbox = new MailOutbox({ sql, directory, secret, log, stopping });
    await outbox.start();
    service.onStop("the mails' outbox", () => outbox.stop());
    const perHour = config.NOTIFYX_LIMITS === "off" ? Infinity : config.NOTIFYX_ACCOUNT_MAILS_PER_HOUR;
    const requests = new AccountRequests({ sql, publicUrl: publicUrl(config), perHour, log });
    requests.start();
    service.onStop("the mails with links", () => requests.stop());
    const sessionSeconds = config.NOTIFYX_SESSION_SECONDS;
    const resolvers = authResolvers({ sql, passwords, sessionSeconds, confirmAddresses, requests, log });
    await service.subgraph({ sdl, resolvers, keys: identities.keys });

    const removing = keepRemovingExpired(sql, stopping, (error) => {
      countDatabaseError(error);
      log.warning("expired sessions could not be removed: {error}", { error });
    });
    service.onStop("the removal of expired sessions", () => removing);
    service.dashboard.figures.push(...AUTH_FIGURES);
    service.statusPage.push(async () => ({
      title: "Users and sessions",
      columns: ["", ""],
      rows: [
        ["users", (await sql`select count(*) from users`)[0]!.count],
        ["sessions", (await sql`select count(*) from sessions where expires_at > now()`)[0]!.count],
        ["sessions that have ended", ended.position],
        ["passwords waiting to be hashed", passwords.turns.waiting],
      ],
    }));
    service.statusPage.push(() => outbox.section());
  },
});
