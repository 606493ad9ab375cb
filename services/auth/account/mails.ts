/** The mails about an account, as the mail service's templates take them. They are the system's own: no user sees what becomes of them. */

import { newId } from "../../../kit/ids.ts";
import type { Mail } from "../../../kit/mail_outbox.ts";
import { HOUR, MINUTE } from "../../../kit/time.ts";
import { LINK_LASTS_MS, type LinkKind } from "./links.ts";

/** The page behind a link. The token stands in the query, since paths are logged. */
export function linkOf(publicUrl: string, kind: LinkKind, token: string): string {
  return `${publicUrl}/account/${kind}?token=${token}`;
}

/** @param publicUrl where people reach the gateway, without a slash at the end */
export function linkMail(to: string, kind: LinkKind, token: string, publicUrl: string): Mail {
  const lasts = kind === "confirm"
    ? { hours: LINK_LASTS_MS.confirm / HOUR }
    : { minutes: LINK_LASTS_MS.reset / MINUTE };
  return { id: newId(), to, template: kind, data: { url: linkOf(publicUrl, kind, token), ...lasts } };
}

/** That the password was replaced: whoever didn't do it has to know. */
export function replacedMail(to: string, at: Date): Mail {
  return { id: newId(), to, template: "replaced", data: { at: at.toISOString() } };
}
