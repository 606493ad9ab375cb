/** `notification`: one notification of a topic for which its reader asked for mail. */

import { escapeHtml } from "../../../kit/status_page.ts";
import type { MailData } from "./data.ts";
import { hole, withHoles } from "./holes.ts";
import { Line, Link, page, Quiet, Title, Words } from "./layout.tsx";
import { LINE_LIMIT, type Mail, SUBJECT_LIMIT } from "./mail.ts";
import { block, blockHtml, oneLine, shorten, timeText } from "./text.ts";

type Holes = "preview" | "topic" | "message" | "from" | "at" | "unsubscribe";

export function notification(): (data: MailData<"notification">) => Mail {
  const fill = withHoles<Holes>(page({
    foot: (
      <Quiet>
        You asked for mail on this topic. <Link href={hole("unsubscribe")}>No more mail on it</Link>
      </Quiet>
    ),
    children: (
      <>
        <Title>{hole("topic")}</Title>
        <Words>{hole("message")}</Words>
        <Line />
        <Quiet>
          <bdi>{hole("from")}</bdi>, {hole("at")}
        </Quiet>
      </>
    ),
  }));
  return (data) => {
    const topic = oneLine(data.topic, LINE_LIMIT);
    const from = oneLine(data.from, LINE_LIMIT);
    const message = block(data.message);
    const at = timeText(data.at);
    return {
      subject: shorten(`${shorten(topic, 60)}: ${oneLine(message, SUBJECT_LIMIT)}`, SUBJECT_LIMIT),
      html: fill({
        preview: escapeHtml(oneLine(message, 140)),
        topic: escapeHtml(topic),
        message: blockHtml(message),
        from: escapeHtml(from),
        at: escapeHtml(at),
        unsubscribe: escapeHtml(data.unsubscribeUrl),
      }),
      text: [
        topic,
        "",
        message,
        "",
        `${from}, ${at}`,
        "",
        "-- ",
        "You asked for mail on this topic. No more mail on it:",
        data.unsubscribeUrl,
        "",
      ].join("\n"),
    };
  };
}
