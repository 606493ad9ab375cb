/** One topic: what it is, what came of it, and what the viewer may do with it; its creator more than others. */

import { Anchor, Button, Skeleton, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useStore } from "../data/store.ts";
import { viewer } from "../session/session.ts";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { BackIcon, ComposeIcon, SearchIcon } from "../ui/icons.tsx";
import { FailedView } from "../ui/failed_view.tsx";
import { MessageView } from "../ui/message_view.tsx";
import { wholeTime } from "../ui/relative_time.tsx";
import { DeleteCard } from "./delete_card.tsx";
import { JoinButton } from "./join_button.tsx";
import { MailCard } from "./mail_card.tsx";
import { NotificationsCard } from "./notifications_card.tsx";
import { PeopleCard } from "./people_card.tsx";
import { TopicBadges } from "./topic_badges.tsx";
import { type Topic, topicQuery } from "./topics_data.ts";
import { TopicSettingsCard } from "./topic_settings_card.tsx";
import classes from "./topic_page.module.css";

export function TopicPage() {
  const { topicId } = useParams({ from: "/app/topics/$topicId" });
  const navigate = useNavigate();
  const { data: topic, error, isPending, refetch } = useQuery(topicQuery(topicId));
  useTitle(topic?.name ?? t("topics.title"));
  return (
    <div className={classes.page}>
      <Anchor component={Link} to="/topics" className={classes.back}>
        <BackIcon size={18} />
        {t("topics.title")}
      </Anchor>
      {topic ? <Whole key={topic.id} topic={topic} /> : isPending ? <TopicSkeleton /> : topic === null
        ? (
          <MessageView
            icon={<SearchIcon size={40} />}
            title={t("topic.gone")}
            hint={t("topic.goneHint")}
            action={{
              label: t("topics.findOthers"),
              run: () => void navigate({ to: "/topics", search: { show: "all" } }),
            }}
          />
        )
        : <FailedView title={t("topic.failed")} error={error} onRetry={() => refetch()} />}
    </div>
  );
}

function Whole({ topic }: { readonly topic: Topic }) {
  const isMine = useStore(viewer)?.id === topic.createdBy.id;
  const { name, subscriberCount, retentionDays, createdBy, createdAt, subscribed } = topic;
  return (
    <>
      <header className={classes.header}>
        <div className={classes.names}>
          <Title order={1} size="h2" className={classes.name} dir="auto">{name}</Title>
          <div className={classes.badges}>
            <TopicBadges topic={topic} />
          </div>
          <p className={classes.about}>
            <span>{t("topics.subscribers", { count: subscriberCount })}</span>
            <span>{t("topic.keptFor", { days: retentionDays })}</span>
            <span title={wholeTime(new Date(createdAt))}>
              {isMine
                ? t("topic.createdByYou")
                : t("topic.createdBy", { person: createdBy.email ?? t("inbox.unknownSender") })}
            </span>
          </p>
        </div>
        <div className={classes.actions}>
          {isMine && (
            <Button
              component={Link}
              to="/compose"
              search={{ topic: topic.id } as never}
              size="xs"
              fz="sm"
              leftSection={<ComposeIcon size={16} />}
            >
              {t("topic.send")}
            </Button>
          )}
          <JoinButton topic={topic} />
        </div>
      </header>
      <div className={classes.cards}>
        <div className={classes.column}>
          <NotificationsCard topic={topic} />
          {isMine && <PeopleCard topic={topic} />}
        </div>
        <div className={classes.column}>
          {subscribed && topic.mailPreference !== null && <MailCard topic={topic} preference={topic.mailPreference} />}
          {isMine && <TopicSettingsCard topic={topic} />}
          {isMine && <DeleteCard topic={topic} />}
        </div>
      </div>
    </>
  );
}

function TopicSkeleton() {
  return (
    <div role="status" aria-label={t("app.loading")}>
      <header className={classes.header}>
        <div className={classes.names}>
          <Skeleton height={28} width="14rem" mb={12} />
          <Skeleton height={14} width="20rem" maw="100%" />
        </div>
        <Skeleton height={30} width={90} />
      </header>
      <div className={classes.cards}>
        <div className={classes.column}>
          <Skeleton height={320} radius="md" />
        </div>
        <div className={classes.column}>
          <Skeleton height={180} radius="md" />
        </div>
      </div>
    </div>
  );
}
