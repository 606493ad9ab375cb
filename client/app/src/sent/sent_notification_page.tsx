/** One notification that the viewer sent: what it says, who has seen it, and the way to take it back. */

import { Button, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { AppError } from "../data/errors.ts";
import { useShortcuts } from "../keyboard/shortcuts.ts";
import { t } from "../strings/strings.ts";
import { ConfirmDialog } from "../ui/confirm_dialog.tsx";
import { UndoIcon } from "../ui/icons.tsx";
import { MessageText } from "../ui/message_text.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { Panel, Waiting, Whole } from "../ui/panel.tsx";
import { useRelativeTime, wholeTime } from "../ui/relative_time.tsx";
import { FollowReceipts } from "./follow_receipts.tsx";
import { retract } from "./retracting.ts";
import { SeenBy } from "./seen_by.tsx";
import { SeenByList } from "./seen_by_list.tsx";
import { findSent, type Sent } from "./sent_data.ts";
import classes from "./sent_notification_page.module.css";

export function SentNotificationPage() {
  const { notificationId } = useParams({ from: "/app/sent/$notificationId" });
  const search = useSearch({ from: "/app/sent" });
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({
    queryKey: ["sent", "one", notificationId],
    queryFn: async () => {
      const found = await findSent(notificationId);
      if (found === null) throw new AppError("NOT_FOUND", t("sent.gone"));
      return found;
    },
  });
  const close = () => void navigate({ to: "/sent", search });
  useShortcuts([{ keys: "Escape", label: "sent.close", run: close }]);
  return (
    <Panel label={t("sent.one")}>
      {error !== null && data === undefined
        ? <FailedView title={t("sent.oneFailed")} error={error} onRetry={() => refetch()} />
        : data === undefined
        ? <SentNotificationSkeleton />
        : <WholeSent key={data.id} one={data} onClose={close} />}
    </Panel>
  );
}

function WholeSent({ one, onClose }: { readonly one: Sent; readonly onClose: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [isAsking, setAsking] = useState(false);
  const relative = useRelativeTime(one.createdAt);
  useEffect(() => heading.current?.focus(), []);
  return (
    <Whole
      onClose={onClose}
      action={
        <Button
          size="compact-md"
          variant="light"
          color="red"
          leftSection={<UndoIcon size={16} />}
          onClick={() => setAsking(true)}
        >
          {t("sent.retract")}
        </Button>
      }
    >
      <h2 ref={heading} tabIndex={-1} className={classes.topic}>{one.topic?.name ?? t("sent.thisTopic")}</h2>
      <p className={classes.time}>
        <time dateTime={one.createdAt}>{wholeTime(new Date(one.createdAt))}</time> · {relative}
      </p>
      <MessageText text={one.message} />
      <div className={classes.seen} role="status">
        <SeenBy one={one} />
      </div>
      <SeenByList id={one.id} />
      {one.topic !== null && <FollowReceipts topicId={one.topic.id} />}
      {isAsking && (
        <ConfirmDialog
          title={t("sent.retractTitle")}
          text={t("sent.retractText")}
          action={t("sent.retract")}
          keep={t("sent.retractKeep")}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            retract(one.id);
            onClose();
          }}
        />
      )}
    </Whole>
  );
}

function SentNotificationSkeleton() {
  return (
    <Waiting>
      <Skeleton height={20} width="40%" mt={48} mb="md" />
      <Skeleton height={12} width="50%" mb="lg" />
      <Skeleton height={12} mb="xs" />
      <Skeleton height={12} width="70%" />
    </Waiting>
  );
}
