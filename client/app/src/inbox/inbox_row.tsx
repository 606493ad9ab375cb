/** One notification in the list. */

import { ActionIcon, Checkbox, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { Notification } from "../../../lib/mod.ts";
import { t } from "../strings/strings.ts";
import { CheckIcon } from "../ui/icons.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { RelativeTime } from "../ui/relative_time.tsx";
import { acknowledge } from "./acknowledging.ts";
import classes from "./inbox_row.module.css";
import type { InboxSearch } from "./inbox_search.ts";

export interface InboxRowProps {
  readonly item: Notification;
  readonly search: InboxSearch;
  readonly isSeen: boolean;
  /** It is the one that keys are about. */
  readonly isActive: boolean;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  /** Of all rows one is reached by Tab. */
  readonly isFocusable: boolean;
  readonly position: number;
  /** -1: not known yet. */
  readonly total: number;
  /** In pixels. */
  readonly top: number;
  readonly height: number;
  readonly onActive: (id: string) => void;
  readonly onSelect: (id: string) => void;
}

export const InboxRow = memo(function InboxRow(props: InboxRowProps) {
  const { item, search, isSeen, isActive, isOpen, isSelected, isFocusable, position, total, top, height } = props;
  const { onActive, onSelect } = props;
  const sender = item.from.email ?? t("inbox.unknownSender");
  // The parts of one row are reached by Tab from the row itself.
  const tabIndex = isFocusable ? 0 : -1;
  return (
    <article
      id={`notification-${item.id}`}
      className={classes.row}
      style={{ transform: `translateY(${top}px)`, blockSize: height }}
      data-unseen={!isSeen || undefined}
      data-active={isActive || undefined}
      data-open={isOpen || undefined}
      data-selected={isSelected || undefined}
      tabIndex={tabIndex}
      aria-posinset={position}
      aria-setsize={total}
      aria-labelledby={`sender-${item.id}`}
      aria-describedby={`message-${item.id}`}
      onFocus={() => onActive(item.id)}
    >
      <span className={classes.dot} role="img" aria-label={t(isSeen ? "inbox.isSeen" : "inbox.isUnseen")} />
      <span className={classes.picture}>
        <PersonAvatar person={item.from} size={40} />
        <Checkbox
          className={classes.select}
          aria-label={t("inbox.select", { sender })}
          checked={isSelected}
          tabIndex={tabIndex}
          onChange={() => onSelect(item.id)}
        />
      </span>
      <div className={classes.text}>
        <p className={classes.head} id={`sender-${item.id}`}>
          <Link
            to="/inbox/$notificationId"
            params={{ notificationId: item.id }}
            search={search}
            preload={false}
            className={classes.sender}
            tabIndex={tabIndex}
            aria-current={isOpen || undefined}
          >
            {sender}
          </Link>
          <span className={classes.topic}>{item.topic.name}</span>
          <RelativeTime at={item.createdAt} className={classes.time} />
        </p>
        <p className={classes.message} id={`message-${item.id}`} dir="auto">{item.message}</p>
      </div>
      {!isSeen && (
        <Tooltip label={t("inbox.acknowledge")} openDelay={400}>
          <ActionIcon
            className={classes.acknowledge}
            variant="default"
            size="lg"
            tabIndex={tabIndex}
            aria-label={t("inbox.acknowledge")}
            onClick={() => acknowledge([item])}
          >
            <CheckIcon size={18} />
          </ActionIcon>
        </Tooltip>
      )}
    </article>
  );
});
