/**
 * A new password in place of a forgotten one. In: the token of a link that was sent by mail. Out: the new password, no session that the
 * user had, and a mail that says so. Nobody is signed in by it: whoever reads a mail on the way would be, and whoever chose the password
 * shows by signing in that it is the one they meant.
 */

import type { Sql } from "../../../kit/database.ts";
import type { Logger } from "../../../kit/log.ts";
import { queueMail } from "../../../kit/mail_outbox.ts";
import { checkNewPassword } from "../credentials.ts";
import { linksUsed } from "../metrics.ts";
import type { Passwords } from "../passwords.ts";
import { findLink, unknownLink, useLink } from "./links.ts";
import { replacedMail } from "./mails.ts";

export interface ResetOptions {
  readonly sql: Sql;
  readonly passwords: Passwords;
  readonly log: Logger;
}

/** @throws UserError `BAD_USER_INPUT` for what may not be a password, `NOT_FOUND` for a link that doesn't work; `TOO_MANY_REQUESTS` */
export async function resetPassword({ sql, passwords, log }: ResetOptions, token: string, password: string) {
  checkNewPassword(password);
  // Looked at first: a hash takes 30 ms of a core, which nobody gets for a token that is made up.
  if (await findLink(sql, "reset", token) === undefined) throw unknownLink();
  const passwordHash = await passwords.hash(password);
  const userId = await sql.begin(async (transaction) => {
    const inside = transaction as unknown as Sql;
    const userId = await useLink(inside, "reset", token);
    if (userId === undefined) throw unknownLink();
    // Who reads mails to the address has shown with it that it is theirs.
    const [user] = await inside<{ email: string; at: Date }[]>`
      update users set password_hash = ${passwordHash}, password_version = password_version + 1,
        confirmed_at = coalesce(confirmed_at, now()) where id = ${userId} returning email, now() as at`;
    // A statement of its own: it sees the session of a login that held the user's row until now.
    await inside`delete from sessions where user_id = ${userId}`;
    await inside`delete from account_links where user_id = ${userId}`;
    await queueMail(inside, replacedMail(user!.email, user!.at));
    return userId;
  });
  linksUsed.inc({ kind: "reset" });
  log.info("user {userId} has a new password in place of a forgotten one", { userId });
}
