/** One notification of the list. */

import { Link } from "@tanstack/react-router";
import { t } from "../strings/strings.ts";
import { RelativeTime } from "../ui/relative_time.tsx";
import { SeenBy } from "./seen_by.tsx";
import type { Sent } from "./sent_data.ts";
import classes from "./sent_row.module.css";

export interface SentRowProps {
  readonly one: Sent;
  /** Of the list's filter. */
  readonly topicId?: string;
  readonly isOpen: boolean;
}

export function SentRow({ one, topicId, isOpen }: SentRowProps) {
  return (
    <li className={classes.row} data-open={isOpen || undefined}>
      <div className={classes.text}>
        <p className={classes.head}>
          <span className={classes.topic}>{one.topic?.name ?? t("sent.thisTopic")}</span>
          <RelativeTime at={one.createdAt} className={classes.time} />
        </p>
        <p className={classes.message} dir="auto">
          <Link
            to="/sent/$notificationId"
            params={{ notificationId: one.id }}
            search={topicId === undefined ? {} : { topic: topicId }}
            preload={false}
            className={classes.link}
            aria-current={isOpen || undefined}
          >
            {one.message}
          </Link>
        </p>
      </div>
      <SeenBy one={one} />
    </li>
  );
}
