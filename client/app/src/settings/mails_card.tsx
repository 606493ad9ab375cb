/** The topics whose notifications come by mail, and what comes of each. */

import { Button, Skeleton, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { ListEnd } from "../topics/list_end.tsx";
import { MailFields } from "../topics/mail_fields.tsx";
import { mailedTopicsQuery } from "../topics/topics_data.ts";
import { Card } from "../ui/card.tsx";
import classes from "./settings_page.module.css";

export function MailsCard() {
  const topics = useInfiniteQuery(mailedTopicsQuery());
  const items = topics.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title={t("mails.title")} hint={t("mails.hint")}>
      {topics.isPending
        ? <Skeleton height={56} role="status" aria-label={t("app.loading")} />
        : topics.isError && items.length === 0
        ? (
          <div role="alert">
            <Text size="sm" mb="xs">{errorText(topics.error)}</Text>
            <Button size="compact-sm" variant="light" onClick={() => void topics.refetch()}>{t("app.retry")}</Button>
          </div>
        )
        : items.length === 0
        ? <Text size="sm" c="dimmed">{t("mails.none")}</Text>
        : (
          <ul className={classes.list} aria-label={t("mails.title")}>
            {items.map((topic) => (
              <li key={topic.id} className={classes.row}>
                <Link to="/topics/$topicId" params={{ topicId: topic.id }} className={classes.topic} dir="auto">
                  {topic.name}
                </Link>
                {!topic.subscribed && <span className={classes.dimmed}>{t("mails.notJoined")}</span>}
                {topic.mailPreference && <MailFields topic={topic} preference={topic.mailPreference} />}
              </li>
            ))}
          </ul>
        )}
      {topics.hasNextPage && <ListEnd query={topics} />}
    </Card>
  );
}
