/** `plain`: what a user writes to someone (sendEmail). */

import { escapeHtml } from "../../../kit/status_page.ts";
import type { MailData } from "./data.ts";
import { hole, withHoles } from "./holes.ts";
import { page, Quiet, Words } from "./layout.tsx";
import type { Mail } from "./mail.ts";
import { block, blockHtml, oneLine } from "./text.ts";

/** RFC 5322: the longest line has 998, with the name of the header. */
const SUBJECT_LIMIT = 900;

export function plain(): (data: MailData<"plain">) => Mail {
  const fill = withHoles<"preview" | "message">(
    page({ foot: <Quiet>Sent with Notifyx.</Quiet>, children: <Words>{hole("message")}</Words> }),
  );
  return (data) => {
    const message = block(data.message);
    return {
      subject: oneLine(data.subject, SUBJECT_LIMIT) || "(no subject)",
      html: fill({ preview: escapeHtml(oneLine(message, 140)), message: blockHtml(message) }),
      text: `${message}\n`,
    };
  };
}
