/** What the viewer sent, newest first, with what is on its way in front; how many have seen each changes as they do. */

import { Anchor, Button, Title } from "@mantine/core";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useStore } from "../data/store.ts";
import { outgoing } from "../compose/outgoing.ts";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { ComposeIcon, SentIcon } from "../ui/icons.tsx";
import { Columns } from "../ui/columns.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { MessageView } from "../ui/message_view.tsx";
import { FollowReceipts } from "./follow_receipts.tsx";
import { OutgoingRow } from "./outgoing_row.tsx";
import { retractions } from "./retracting.ts";
import { useSent } from "./sent_data.ts";
import { SentRow } from "./sent_row.tsx";
import { SentSkeleton } from "./sent_skeleton.tsx";
import classes from "./sent_page.module.css";

/** Receipts of so many topics are followed at once: those of the newest. */
const MOST_FOLLOWED = 20;

export function SentPage() {
  const { topic: topicId } = useSearch({ from: "/app/sent" });
  const { notificationId: openId } = useParams({ strict: false });
  const navigate = useNavigate();
  const sent = useSent(topicId);
  const waiting = useStore(outgoing).filter(({ draft }) => topicId === undefined || draft.topicId === topicId);
  const gone = new Set(useStore(retractions).map(({ id }) => id));
  const loaded = sent.data?.pages.flatMap(({ items }) => items) ?? [];
  const items = loaded.filter(({ id }) => !gone.has(id));
  const topics = [...new Map(loaded.flatMap(({ topic }) => topic === null ? [] : [[topic.id, topic.name]]))];
  const name = topics.find(([id]) => id === topicId)?.[1] ?? undefined;
  useTitle(t("sent.title"));
  return (
    <Columns isOpen={openId !== undefined}>
      <div className={classes.page}>
        <header className={classes.header}>
          <Title order={1} size="h2">{t("sent.title")}</Title>
          {topicId !== undefined && (
            <span className={classes.filter}>
              {name === undefined ? t("sent.ofThisTopic") : t("sent.ofTopic", { topic: name })}{" "}
              <Anchor component={Link} to="/sent">{t("sent.all")}</Anchor>
            </span>
          )}
          <Button
            component={Link}
            to="/compose"
            className={classes.compose}
            leftSection={<ComposeIcon size={18} />}
          >
            {t("compose.title")}
          </Button>
        </header>
        {waiting.length > 0 && (
          <ul className={classes.list} aria-label={t("sent.outgoing")}>
            {waiting.map((one) => <OutgoingRow key={one.key} one={one} />)}
          </ul>
        )}
        {sent.isPending
          ? <SentSkeleton />
          : sent.isError && loaded.length === 0
          ? <FailedView title={t("sent.failed")} error={sent.error} onRetry={() => sent.refetch()} />
          : items.length === 0 && waiting.length === 0
          ? (
            <MessageView
              icon={<SentIcon size={40} />}
              title={t("sent.empty")}
              hint={t("sent.emptyHint")}
              action={{
                label: t("compose.title"),
                run: () => void navigate({ to: "/compose", search: topicId === undefined ? {} : { topic: topicId } }),
              }}
            />
          )
          : (
            <>
              <ul className={classes.list} aria-label={t("sent.list")}>
                {items.map((one) => <SentRow key={one.id} one={one} topicId={topicId} isOpen={one.id === openId} />)}
              </ul>
              {sent.hasNextPage && (
                <div className={classes.end}>
                  {sent.isFetchNextPageError && <span role="alert">{t("inbox.moreFailed")}</span>}
                  <Button
                    variant="default"
                    loading={sent.isFetchingNextPage}
                    onClick={() => void sent.fetchNextPage()}
                  >
                    {sent.isFetchNextPageError ? t("app.retry") : t("sent.more")}
                  </Button>
                </div>
              )}
            </>
          )}
        {topics.slice(0, MOST_FOLLOWED).map(([id]) => <FollowReceipts key={id} topicId={id!} />)}
      </div>
    </Columns>
  );
}
