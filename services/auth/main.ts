/** Auth: users, their passwords and sessions, and the identities by which every other service knows who asks. */

import { COMMON_SETTINGS, DATABASE_SETTINGS, readConfig } from "../../kit/config.ts";
import { runService } from "../../kit/service.ts";
import sdl from "../../schema/auth.graphql" with { type: "text" };
import { EndedSessions } from "./ended_sessions.ts";
import { addEndedRoutes } from "./ended_stream.ts";
import { Identities } from "./identities.ts";
import { measureWaiting } from "./metrics.ts";
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
    const { app, log, secret, stopping } = service;
    const [sql, passwords] = await Promise.all([service.database(config, MIGRATIONS), Passwords.create()]);
    const identities = await Identities.create(sql);
    measureWaiting(() => passwords.waiting);

    const ended = new EndedSessions(sql, log);
    await ended.start();
    service.onStop("the ended sessions", () => ended.stop());
    addAuthRoutes(app, { sql, identities, secret, log });
    addEndedRoutes(app, { sql, ended, secret, stopping });
    const sessionSeconds = config.NOTIFYX_SESSION_SECONDS;
    const resolvers = authResolvers({ sql, passwords, sessionSeconds, log });
    await service.subgraph({ sdl, resolvers, keys: identities.keys });

    const removing = keepRemovingExpired(sql, stopping, (error) => {
      log.warning("expired sessions could not be removed: {error}", { error });
    });
    service.onStop("the removal of expired sessions", () => removing);
    service.statusPage.push(async () => ({
      title: "Users and sessions",
      columns: ["", ""],
      rows: [
        ["users", (await sql`select count(*) from users`)[0]!.count],
        ["sessions", (await sql`select count(*) from sessions where expires_at > now()`)[0]!.count],
        ["sessions that have ended", ended.position],
        ["passwords waiting to be hashed", passwords.waiting],
      ],
    }));
  },
});
