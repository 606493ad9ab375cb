/** Auth's routes for the other processes: its public keys, and the exchange of a session's token for an identity. */

import * as v from "valibot";
import type { Sql } from "../../kit/database.ts";
import { UserError } from "../../kit/errors.ts";
import { allowMember, type App, readJson } from "../../kit/http.ts";
import { PAGE_LIMIT } from "../../kit/paging.ts";
import { IDENTITY_SECONDS } from "../../kit/identity.ts";
import { newId } from "../../kit/ids.ts";
import type { Logger } from "../../kit/log.ts";
import { SECOND } from "../../kit/time.ts";
import { confirmedAmong } from "./account/confirmation.ts";
import { emailKey, isEmail } from "./credentials.ts";
import type { Identities } from "./identities.ts";
import { findSession, type Session } from "./sessions.ts";
import { findAccount, findUsers } from "./store.ts";

const USERS = v.object({
  ids: v.pipe(v.array(v.string()), v.maxLength(PAGE_LIMIT, `ids takes at most ${PAGE_LIMIT} ids`)),
});
const EXCHANGE = v.pipe(
  v.object({ token: v.nullish(v.string("a session's token")), email: v.nullish(v.string("a user's e-mail address")) }),
  v.check(({ token, email }) => token == null || email == null, "it takes a token or an email, not both"),
);

export interface AuthRoutesOptions {
  readonly sql: Sql;
  readonly identities: Identities;
  readonly secret: string;
  /** Whether users' addresses are to be confirmed. */
  readonly confirmAddresses: boolean;
  readonly log: Logger;
}

export function addAuthRoutes(app: App, options: AuthRoutesOptions): void {
  const { sql, identities, secret, confirmAddresses, log } = options;
  app.get("/api/keys", (c) => c.json(identities.keys));

  // No token is an anonymous caller, who gets an identity too; a wrong one is refused.
  app.post("/api/identity", async (c) => {
    allowMember(c, secret);
    const { token, email } = await readJson(c, EXCHANGE);
    const session = email != null
      ? await withoutSession(sql, email, log)
      : token != null
      ? await findSession(sql, token)
      : null;
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

  // What events and mails name, the same for every viewer; `confirmed` only where that is asked of users (kit/addresses.ts).
  app.post("/api/users", async (c) => {
    allowMember(c, secret);
    const { ids } = await readJson(c, USERS);
    const users = await findUsers(sql, ids);
    if (!confirmAddresses) return c.json(users);
    const confirmed = await confirmedAmong(sql, ids);
    return c.json(users.map((user) => user && { ...user, confirmed: confirmed.has(user.id) }));
  });
}

/**
 * Whoever runs the cluster looks at a service as one of its users (`deno task identity`): a session that is nowhere stored, so that none of
 * the user's own ends for it. @throws UserError `NOT_FOUND`
 */
async function withoutSession(sql: Sql, email: string, log: Logger): Promise<Session> {
  const account = isEmail(email.trim()) ? await findAccount(sql, emailKey(email)) : undefined;
  if (account === undefined) throw new UserError("NOT_FOUND", "nobody has registered with this e-mail address");
  const userId = account.user.id;
  const confirmed = (await confirmedAmong(sql, [userId])).has(userId);
  log.info("an identity of user {userId} is given to a member of the cluster", { userId });
  return { id: newId(), userId, expiresAt: new Date(Date.now() + IDENTITY_SECONDS * SECOND), confirmed };
}
