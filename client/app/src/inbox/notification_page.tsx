/** One notification, whole: beside the list, and in a narrow window in its place. It has an address of its own. */

import { Anchor, Button, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { Notification } from "../../../lib/mod.ts";
import { AppError } from "../data/errors.ts";
import { ask } from "../data/query_client.ts";
import { useStore } from "../data/store.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { t } from "../strings/strings.ts";
import { CheckIcon } from "../ui/icons.tsx";
import { MessageText } from "../ui/message_text.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { Panel, Waiting, Whole } from "../ui/panel.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { useRelativeTime, wholeTime } from "../ui/relative_time.tsx";
import { acknowledge, isSeen, pending } from "./acknowledging.ts";
import { inboxList } from "./inbox_data.ts";
import classes from "./notification_page.module.css";

const NOTIFICATION = `query ($id: ID!) { notification(id: $id) {
  id message createdAt cursor status topic { id name } from { id email } } }`;

export function NotificationPage() {
  const { notificationId } = useParams({ from: "/app/inbox/$notificationId" });
  const search = useSearch({ from: "/app/inbox" });
  const navigate = useNavigate();
  const { items } = useStore(inboxList(search).state);
  const listed = items.find(({ id }) => id === notificationId);
  // One that isn't loaded: its address was opened.
  const { data, error, refetch } = useQuery({
    queryKey: ["notification", notificationId],
    queryFn: () => find(notificationId),
    enabled: listed === undefined,
  });
  const close = () => void navigate({ to: "/inbox", search });
  useShortcuts([{ keys: "Escape", label: "keys.closeNotification", run: close }]);
  const item = listed ?? data;
  return (
    <Panel label={t("notification.label")}>
      {error !== null && listed === undefined
        ? <FailedView title={t("notification.failed")} error={error} onRetry={() => refetch()} />
        : item === undefined
        ? <NotificationSkeleton />
        : <WholeNotification key={item.id} item={item} onClose={close} />}
    </Panel>
  );
}

function WholeNotification({ item, onClose }: { readonly item: Notification; readonly onClose: () => void }) {
  useSyncExternalStore(pending.subscribe, pending.get);
  const heading = useRef<HTMLHeadingElement>(null);
  const relative = useRelativeTime(item.createdAt);
  const sender = item.from.email ?? t("inbox.unknownSender");
  const seen = isSeen(item);
  useEffect(() => heading.current?.focus(), []);
  return (
    <Whole
      onClose={onClose}
      action={seen
        ? <Text size="sm" c="dimmed">{t("inbox.isSeen")}</Text>
        : (
          <Button size="compact-md" leftSection={<CheckIcon size={16} />} onClick={() => acknowledge([item])}>
            {t("inbox.acknowledge")}
          </Button>
        )}
    >
      <header className={classes.head}>
        <PersonAvatar person={item.from} size={48} />
        <div className={classes.who}>
          <h2 ref={heading} tabIndex={-1} className={classes.sender}>{sender}</h2>
          <Anchor component={Link} to="/inbox" search={{ topic: item.topic.id } as never} size="sm">
            {item.topic.name}
          </Anchor>
        </div>
      </header>
      <Text size="sm" c="dimmed" mb="md">
        <time dateTime={item.createdAt}>{wholeTime(new Date(item.createdAt))}</time> · {relative}
      </Text>
      <MessageText text={item.message} />
      <Anchor
        component={Link}
        to="/inbox"
        search={{ from: item.from.id } as never}
        size="sm"
        mt="xl"
        display="inline-block"
      >
        {t("notification.allFrom", { sender })}
      </Anchor>
    </Whole>
  );
}

function NotificationSkeleton() {
  return (
    <Waiting>
      <Skeleton height={48} circle mb="md" />
      <Skeleton height={12} width="40%" mb="md" />
      <Skeleton height={12} mb="xs" />
      <Skeleton height={12} width="70%" />
    </Waiting>
  );
}

async function find(id: string): Promise<Notification> {
  const { notification } = await ask<{ notification: Notification | null }>(NOTIFICATION, { id });
  if (notification === null) throw new AppError("NOT_FOUND", t("notification.gone"));
  return notification;
}
