/** One topic in a list: what it is, and the way in or out. */

import { Link } from "@tanstack/react-router";
import { useStore } from "../data/store.ts";
import { viewer } from "../session/session.ts";
import { t } from "../strings/strings.ts";
import { TopicIcon } from "../ui/icons.tsx";
import { JoinButton } from "./join_button.tsx";
import { TopicBadges } from "./topic_badges.tsx";
import type { Topic } from "./topics_data.ts";
import classes from "./topics_page.module.css";

export function TopicRow({ topic }: { readonly topic: Topic }) {
  const { id, name, subscriberCount, createdBy } = topic;
  const isMine = useStore(viewer)?.id === createdBy.id;
  return (
    <li className={classes.row}>
      <span className={classes.mark}>
        <TopicIcon size={20} />
      </span>
      <div className={classes.text}>
        <p className={classes.head}>
          <Link to="/topics/$topicId" params={{ topicId: id }} className={classes.name} dir="auto">{name}</Link>
          <TopicBadges topic={topic} />
        </p>
        <p className={classes.about}>
          <span>{t("topics.subscribers", { count: subscriberCount })}</span>
          <bdi className={classes.creator}>
            {isMine ? t("topics.isMine") : createdBy.email ?? t("inbox.unknownSender")}
          </bdi>
        </p>
      </div>
      <JoinButton topic={topic} />
    </li>
  );
}
