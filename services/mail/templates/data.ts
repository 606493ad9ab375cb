/** What each template takes. In: JSON from a member of the cluster. Out: the same, checked, its links as a browser writes them. */

import * as v from "valibot";
import { UserError } from "../../../kit/errors.ts";
import type { TemplateName } from "./names.ts";
import { webLink } from "./text.ts";

/** The most that one text may have, in UTF-16 units: a mail of 100,000 characters fits, whatever they are. */
const TEXT_LIMIT = 200_000;
const ENTRIES_LIMIT = 100;

const text = v.pipe(v.string("a text"), v.maxLength(TEXT_LIMIT, `at most ${TEXT_LIMIT} characters`));
const time = v.pipe(v.string("a time"), v.isoTimestamp("a time as in RFC 3339"));
const link = v.pipe(
  v.string("a URL"),
  v.transform((url) => webLink(url) ?? ""),
  v.nonEmpty("a URL that starts with http:// or https://"),
);
const count = (most: number) => v.pipe(v.number("a number"), v.integer(), v.minValue(0), v.maxValue(most));

const entry = v.object({ topic: text, from: text, message: text, at: time });

export const MAIL_DATA = {
  /** What a user writes (sendEmail). */
  plain: v.object({ subject: text, message: text }),
  notification: v.object({ ...entry.entries, unsubscribeUrl: link }),
  /** `more` is how many were left out. */
  digest: v.object({
    entries: v.pipe(v.array(entry), v.minLength(1, "at least one"), v.maxLength(ENTRIES_LIMIT, "at most 100")),
    more: v.optional(count(Number.MAX_SAFE_INTEGER), 0),
    every: v.picklist(["hour", "day"], "hour or day"),
    unsubscribeUrl: link,
  }),
  /** Whether an address is the user's. */
  confirm: v.object({ url: link, hours: count(10_000) }),
  reset: v.object({ url: link, minutes: count(10_000) }),
  /** That a password was replaced, and when. */
  replaced: v.object({ at: time }),
} satisfies Record<TemplateName, v.GenericSchema>;

export type MailData<Name extends TemplateName> = v.InferOutput<typeof MAIL_DATA[Name]>;

/** @throws UserError `BAD_USER_INPUT` that names what is wrong */
export function checkMailData<Name extends TemplateName>(name: Name, data: unknown): MailData<Name> {
  const result = v.safeParse(MAIL_DATA[name], data);
  if (result.success) return result.output as MailData<Name>;
  const issue = result.issues[0];
  throw new UserError("BAD_USER_INPUT", `data.${v.getDotPath(issue) ?? ""} takes ${issue.message}`);
}
