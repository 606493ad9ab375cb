/** The newest notifications of a topic for the viewer: the inbox's own list of it, which is live. */

import { ActionIcon, Anchor, Button, Skeleton, Text, Tooltip } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useSyncExternalStore } from "react";
import { errorText } from "../data/errors.ts";
import { useStore } from "../data/store.ts";
import { acknowledge, isSeen, pending } from "../inbox/acknowledging.ts";
import { inboxList } from "../inbox/inbox_data.ts";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";
import { CheckIcon } from "../ui/icons.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { RelativeTime } from "../ui/relative_time.tsx";
import type { Topic } from "./topics_data.ts";
import classes from "./notifications_card.module.css";

const MOST_SHOWN = 10;
const SKELETONS = 3;

export function NotificationsCard({ topic: { id, subscribed } }: { readonly topic: Topic }) {
  const list = inboxList({ topic: id });
  const { items, status, error } = useStore(list.state);
  useSyncExternalStore(pending.subscribe, pending.get);
  const shown = items.slice(0, MOST_SHOWN);
  const inInbox = shown.length > 0 && (
    <Anchor component={Link} to="/inbox" search={{ topic: id } as never} size="sm">{t("topic.inInbox")}</Anchor>
  );
  return (
    <Card title={t("topic.notifications")} action={inInbox}>
      <div className={classes.body} tabIndex={0} role="group" aria-label={t("topic.notifications")}>
        {shown.length > 0
          ? (
            <ul className={classes.list}>
              {shown.map((one) => (
                <li key={one.id} className={classes.row} data-unseen={!isSeen(one) || undefined}>
                  <PersonAvatar person={one.from} size={36} />
                  <div className={classes.text}>
                    <p className={classes.head}>
                      <bdi className={classes.sender}>{one.from.email ?? t("inbox.unknownSender")}</bdi>
                      {!isSeen(one) && <span className={classes.unseen}>{t("inbox.isUnseen")}</span>}
                      <RelativeTime at={one.createdAt} className={classes.time} />
                    </p>
                    <p className={classes.message} dir="auto">{one.message}</p>
                  </div>
                  {!isSeen(one) && (
                    <Tooltip label={t("inbox.acknowledge")} openDelay={400}>
                      <ActionIcon
                        variant="default"
                        size="lg"
                        aria-label={t("inbox.acknowledge")}
                        onClick={() => acknowledge([one])}
                      >
                        <CheckIcon size={18} />
                      </ActionIcon>
                    </Tooltip>
                  )}
                </li>
              ))}
            </ul>
          )
          : status === "loading"
          ? (
            <div role="status" aria-label={t("app.loading")}>
              {Array.from({ length: SKELETONS }, (_, index) => (
                <div key={index} className={classes.row}>
                  <Skeleton circle height={36} width={36} />
                  <div className={classes.text}>
                    <Skeleton height={12} width="40%" mb={8} />
                    <Skeleton height={12} width="80%" />
                  </div>
                </div>
              ))}
            </div>
          )
          : status === "failed"
          ? (
            <div role="alert">
              <Text size="sm" mb="xs">{errorText(error)}</Text>
              <Button size="compact-sm" variant="light" onClick={() => void list.load()}>{t("app.retry")}</Button>
            </div>
          )
          : <Text size="sm" c="dimmed">{t(subscribed ? "topic.nothingYet" : "topic.nothingUnlessJoined")}</Text>}
      </div>
    </Card>
  );
}
