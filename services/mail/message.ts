/** A mail as nodemailer takes it. In: the mail and what its template gives. Out: a message whose headers nothing can break. */

import { encodeWord } from "nodemailer/lib/mime-funcs";
import type { ClaimedEmail } from "./emails.ts";
import type { Mail } from "./templates/mail.ts";

export interface Message {
  readonly from: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly headers?: Readonly<Record<string, { readonly prepared: true; readonly value: string }>>;
}

/** The longest encoded word, in characters; nodemailer's own choice as well. */
const WORD_LIMIT = 52;

/** The same for each attempt, so that whoever gets it twice can tell. */
export function messageIdOf(id: string, domain: string): string {
  return `<${id}@${domain}>`;
}

export function messageOf(
  email: ClaimedEmail,
  { subject, text, html }: Mail,
  from: string,
  domain: string,
): Message {
  const { unsubscribeUrl } = email;
  return {
    from,
    // As an object: a text would be parsed, and might name several.
    to: { name: "", address: email.to },
    subject: subjectOf(subject),
    text,
    html,
    messageId: messageIdOf(email.id, domain),
    ...unsubscribeUrl === null ? {} : {
      headers: {
        "List-Unsubscribe": { prepared: true, value: `<${new URL(unsubscribeUrl).href}>` },
        "List-Unsubscribe-Post": { prepared: true, value: "List-Unsubscribe=One-Click" },
      },
    },
  };
}

/** What looks encoded is encoded itself: nodemailer would send it as it is, and a reader see what is within, line breaks and all. */
function subjectOf(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  return line.includes("=?") ? encodeWord(line, "B", WORD_LIMIT) : line;
}
