/** `digest`: what came within an hour or a day, in one mail, oldest first as it is given. */

import { escapeHtml } from "../../../kit/status_page.ts";
import type { MailData } from "./data.ts";
import { hole, withHoles } from "./holes.ts";
import { fragment, Line, Link, page, Quiet, Title, Words } from "./layout.tsx";
import { LINE_LIMIT, type Mail, SUBJECT_LIMIT } from "./mail.ts";
import { block, blockHtml, oneLine, shorten, timeText } from "./text.ts";

/** What a digest shows of one message, in characters. */
const MESSAGE_LIMIT = 600;

type Entry = MailData<"digest">["entries"][number];

export function digest(): (data: MailData<"digest">) => Mail {
  const fill = withHoles<"preview" | "title" | "entries" | "more" | "unsubscribe">(page({
    foot: (
      <Quiet>
        You asked for such a summary. <Link href={hole("unsubscribe")}>No more of them</Link>
      </Quiet>
    ),
    children: (
      <>
        <Title>{hole("title")}</Title>
        {hole("entries")}
        {hole("more")}
      </>
    ),
  }));
  const fillEntry = withHoles<"topic" | "message" | "from" | "at">(fragment(
    <>
      <Line />
      <Quiet>
        <b>
          <bdi>{hole("topic")}</bdi>
        </b>{" "}
        · <bdi>{hole("from")}</bdi>, {hole("at")}
      </Quiet>
      <Words>{hole("message")}</Words>
    </>,
  ));
  const fillMore = withHoles<"words">(fragment(
    <>
      <Line />
      <Quiet>{hole("words")}</Quiet>
    </>,
  ));

  return (data) => {
    const entries = data.entries.map(shown);
    const count = entries.length + data.more;
    const title = `${count} ${count === 1 ? "notification" : "notifications"} in the last ${data.every}`;
    const more = data.more > 0 ? `and ${data.more} more, which are in your inbox` : "";
    return {
      subject: shorten(`${title}: ${topics(entries)}`, SUBJECT_LIMIT),
      html: fill({
        preview: escapeHtml(topics(entries)),
        title,
        entries: entries.map(({ topic, from, message, at }) =>
          fillEntry({
            topic: escapeHtml(topic),
            message: blockHtml(message),
            from: escapeHtml(from),
            at: escapeHtml(at),
          })
        ).join(""),
        more: more && fillMore({ words: more }),
        unsubscribe: escapeHtml(data.unsubscribeUrl),
      }),
      text: [
        title,
        ...entries.map(({ topic, from, message, at }) => `\n* ${topic} · ${from}, ${at}\n\n${message}`),
        ...more ? ["", more] : [],
        "",
        "-- ",
        "You asked for such a summary. No more of them:",
        data.unsubscribeUrl,
        "",
      ].join("\n"),
    };
  };
}

function shown({ topic, from, message, at }: Entry): Entry {
  return {
    topic: oneLine(topic, LINE_LIMIT),
    from: oneLine(from, LINE_LIMIT),
    message: shorten(block(message), MESSAGE_LIMIT),
    at: timeText(at),
  };
}

/** "lunch, news and 2 more topics" */
function topics(entries: readonly Entry[]): string {
  const names = [...new Set(entries.map(({ topic }) => shorten(topic, 40)))];
  const rest = names.length - 2;
  if (rest <= 0) return names.join(" and ");
  return `${names.slice(0, 2).join(", ")} and ${rest} more ${rest === 1 ? "topic" : "topics"}`;
}
