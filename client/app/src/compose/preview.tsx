/** How it will look to those who receive it. */

import { Text } from "@mantine/core";
import type { Viewer } from "../session/session.ts";
import { t } from "../strings/strings.ts";
import { MessageText } from "../ui/message_text.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import classes from "./preview.module.css";

export interface PreviewProps {
  readonly sender?: Viewer;
  readonly topicName?: string;
  readonly message: string;
}

export function Preview({ sender, topicName, message }: PreviewProps) {
  return (
    <section className={classes.side} aria-label={t("compose.preview")}>
      <h2 className={classes.title}>{t("compose.preview")}</h2>
      <article className={classes.card}>
        <header className={classes.head}>
          {sender && <PersonAvatar person={sender} size={40} />}
          <div className={classes.who}>
            <p className={classes.sender}>{sender?.email}</p>
            <p className={classes.topic}>{topicName ?? t("compose.previewTopic")}</p>
          </div>
        </header>
        {message === "" ? <Text c="dimmed">{t("compose.previewEmpty")}</Text> : <MessageText text={message} />}
      </article>
      <p className={classes.hint}>{t("compose.previewHint")}</p>
    </section>
  );
}
