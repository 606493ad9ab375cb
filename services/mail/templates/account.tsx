/** `confirm` and `reset`: one thing to do, by a link that works once and for a while. `replaced`: that it was done. */

import { escapeHtml } from "../../../kit/status_page.ts";
import type { MailData } from "./data.ts";
import { hole, withHoles } from "./holes.ts";
import { Action, Line, Link, page, Quiet, Title, Words } from "./layout.tsx";
import type { Mail } from "./mail.ts";
import { timeText } from "./text.ts";

interface Texts {
  readonly subject: string;
  readonly words: string;
  readonly action: string;
  /** Who gets this without having asked for it. */
  readonly foot: string;
}

export function confirm(): (data: MailData<"confirm">) => Mail {
  const make = linkMail({
    subject: "Confirm your e-mail address",
    words: "Someone, hopefully you, registered at Notifyx with this address.",
    action: "Confirm this address",
    foot: "If it wasn't you, you need not do anything.",
  });
  return ({ url, hours }) => make(url, span(hours, "hour"));
}

export function reset(): (data: MailData<"reset">) => Mail {
  const make = linkMail({
    subject: "Choose a new password",
    words: "Someone, hopefully you, asked for a new password for your account at Notifyx.",
    action: "Choose a new password",
    foot: "If it wasn't you, you need not do anything: your password stays as it is.",
  });
  return ({ url, minutes }) => make(url, span(minutes, "minute"));
}

export function replaced(): (data: MailData<"replaced">) => Mail {
  const subject = "Your password was changed";
  const words = "The password of your account at Notifyx was replaced by a new one";
  const ended = "All sessions were ended: sign in with the new password.";
  const foot =
    "If it wasn't you, someone else can read your mails: make your mailbox safe, then ask for another new password.";
  const fill = withHoles<"preview" | "at">(page({
    foot: <Quiet>{foot}</Quiet>,
    children: (
      <>
        <Title>{subject}</Title>
        <Words>{words}, on {hole("at")}.</Words>
        <Words>{ended}</Words>
      </>
    ),
  }));
  return (data) => {
    const at = timeText(data.at);
    const told = `${words}, on ${at}.`;
    return { subject, html: fill({ preview: told, at }), text: [told, "", ended, "", foot, ""].join("\n") };
  };
}

function linkMail({ subject, words, action, foot }: Texts): (url: string, lasts: string) => Mail {
  const fill = withHoles<"preview" | "url" | "lasts">(page({
    foot: <Quiet>{foot}</Quiet>,
    children: (
      <>
        <Title>{subject}</Title>
        <Words>{words}</Words>
        <Action href={hole("url")}>{action}</Action>
        <Line />
        <Quiet>
          The button works once, within {hole("lasts")}. It leads to <Link href={hole("url")}>{hole("url")}</Link>
        </Quiet>
      </>
    ),
  }));
  return (url, lasts) => ({
    subject,
    html: fill({ preview: words, url: escapeHtml(url), lasts }),
    text: [words, "", `${action}:`, url, "", `The link works once, within ${lasts}.`, "", foot, ""].join("\n"),
  });
}

function span(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
