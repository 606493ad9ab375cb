/** Auth's routes for the other processes: its public keys, and the exchange of a session's token for an identity. */

import * as v from "valibot";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { allowMember, type App, readJson } from "../../kit/http.ts";
import { PAGE_LIMIT } from "../../kit/paging.ts";
import type { Identities } from "./identities.ts";
import { findSession } from "./sessions.ts";
import { findUsers } from "./store.ts";

const USERS = v.object({
  ids: v.pipe(v.array(v.string()), v.maxLength(PAGE_LIMIT, `ids takes at most ${PAGE_LIMIT} ids`)),
});
const EXCHANGE = v.object({ token: v.nullish(v.string("a session's token")) });

export interface AuthRoutesOptions {
  readonly sql: Sql;
  readonly identities: Identities;
  readonly secret: string;
}

export function addAuthRoutes(app: App, { sql, identities, secret }: AuthRoutesOptions): void {
  app.get("/api/keys", (c) => c.json(identities.keys));

  // No token is an anonymous caller, who gets an identity too; a wrong one is refused.
  app.post("/api/identity", async (c) => {
    allowMember(c, secret);
    const { token } = await readJson(c, EXCHANGE);
    const session = token == null ? null : await findSession(sql, token);
    if (session === undefined) throw new UserError("UNAUTHENTICATED", "the session is unknown or has ended");
    const { identity, expiresAt } = await identities.sign(session);
    c.header("cache-control", "no-store");
    return c.json({
      identity,
      expiresAt,
      userId: session?.userId ?? null,
      sessionExpiresAt: session?.expiresAt ?? null,
    });
  });

  // What events name, for the gateways: the same for every viewer.
  app.post("/api/users", async (c) => {
    allowMember(c, secret);
    return c.json(await findUsers(sql, (await readJson(c, USERS)).ids));
  });
}
