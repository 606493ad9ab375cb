/**
 * A mail as it is accepted: what the members' route and `sendEmail` take. What may not be sent is refused here, at the door, so that its
 * sender hears of it; message.ts encodes it once more at the end.
 */

import * as v from "valibot";
import { addressFault, isMailAddress } from "../../kit/email_address.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { characters, isStorable } from "../../kit/text.ts";
import { checkMailData } from "./templates/data.ts";
import { isTemplate, TEMPLATES } from "./templates/names.ts";

export interface NewMail {
  /** Also `Email.id`, and what makes its Message-ID. */
  readonly id: string;
  readonly to: string;
  /** Who sends it; the system itself where it is missing. */
  readonly userId?: string | null;
  /** The name of a template, and what it is filled with. */
  readonly template: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Where one POST unsubscribes (RFC 8058). */
  readonly unsubscribeUrl?: string | null;
  /** Of what causes it, where that is traced. */
  readonly traceparent?: unknown;
}

/** RFC 5322: the longest line, without the header's name. */
const SUBJECT_LIMIT = 900;
const MESSAGE_LIMIT = 100_000;
/** The most of one mail's data, in characters of JSON. */
const DATA_LIMIT = 256 * 1024;
/** The most mails of one call. */
const MAILS_LIMIT = 100;
/** Where a header could be broken, or a terminal or log be led astray. */
const CONTROL = /\p{Cc}|[\u2028\u2029]/u;

const id = v.pipe(v.string("a UUID"), v.check(isUuid, "a UUID"), v.toLowerCase());

/** What `POST /api/mails` takes. */
export const MAILS = v.object({
  mails: v.pipe(
    v.array(v.object({
      id,
      to: v.pipe(v.string("an e-mail address"), v.check(isMailAddress, ({ input }) => addressFault(input))),
      userId: v.nullish(id),
      template: v.pipe(v.string("a template"), v.check(isTemplate, `one of ${TEMPLATES.join(", ")}`)),
      data: v.pipe(
        v.record(v.string(), v.unknown(), "an object"),
        v.check(isStorableJson, `texts without NUL, at most ${DATA_LIMIT} characters of JSON`),
      ),
      unsubscribeUrl: v.nullish(
        v.pipe(v.string("a URL"), v.check(isHttpUrl, "a URL that starts with http:// or https://")),
      ),
      traceparent: v.optional(v.unknown()),
    })),
    v.maxLength(MAILS_LIMIT, `at most ${MAILS_LIMIT} mails`),
  ),
});

/** @throws UserError `BAD_USER_INPUT` that names the mail whose data its template doesn't take */
export function checkData(mails: readonly NewMail[]): void {
  for (const [nth, { template, data }] of mails.entries()) {
    try {
      if (isTemplate(template)) checkMailData(template, data);
    } catch (error) {
      throw error instanceof UserError ? new UserError(error.code, `mails.${nth}.${error.message}`) : error;
    }
  }
}

/** @throws UserError `BAD_USER_INPUT` that names what may not be sent */
export function checkPlainMail({ to, subject, message }: { to: string; subject: string; message: string }): string {
  const address = to.trim();
  if (!isMailAddress(address)) throw new UserError("BAD_USER_INPUT", `to takes ${addressFault(address)}`);
  if (!isStorable(subject) || CONTROL.test(subject)) {
    throw new UserError("BAD_USER_INPUT", "subject holds a line break or another control character");
  }
  if (subject.trim() === "" || characters(subject) > SUBJECT_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `subject takes 1 to ${SUBJECT_LIMIT} characters`);
  }
  if (!isStorable(message)) throw new UserError("BAD_USER_INPUT", "message holds a NUL or half a character");
  if (message.length === 0 || characters(message) > MESSAGE_LIMIT) {
    throw new UserError("BAD_USER_INPUT", `message takes 1 to ${MESSAGE_LIMIT} characters`);
  }
  return address;
}

function isHttpUrl(text: string): boolean {
  return text.length <= 2_000 && !CONTROL.test(text) && /^https?:$/.test(URL.parse(text)?.protocol ?? "");
}

function isStorableJson(data: Record<string, unknown>): boolean {
  const text = JSON.stringify(data);
  // A NUL or half a surrogate pair is written as an escape, at any depth.
  return text.length <= DATA_LIMIT && !/(?<!\\)(\\\\)*\\u(0000|d[89a-f])/i.test(text);
}
