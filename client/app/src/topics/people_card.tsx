/** Who is subscribed to a topic, for its creator, who may take people out and invite others. */

import { Button, Skeleton, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { removePerson } from "./changing.ts";
import { ConfirmDialog } from "../ui/confirm_dialog.tsx";
import { InviteField } from "./invite_field.tsx";
import { ListEnd } from "./list_end.tsx";
import { type Person, subscribersQuery, type Topic } from "./topics_data.ts";
import classes from "./people_card.module.css";

const SKELETONS = 3;

export function PeopleCard({ topic }: { readonly topic: Topic }) {
  const people = useInfiniteQuery(subscribersQuery(topic.id));
  const [leaving, setLeaving] = useState<Person>();
  const items = people.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card title={t("people.title")} hint={t("topics.subscribers", { count: topic.subscriberCount })}>
      <InviteField topic={topic} subscribers={items} />
      <div className={classes.people}>
        {people.isPending
          ? (
            <div role="status" aria-label={t("app.loading")}>
              {Array.from({ length: SKELETONS }, (_, index) => (
                <div key={index} className={classes.row}>
                  <Skeleton circle height={32} width={32} />
                  <Skeleton height={12} width="40%" />
                </div>
              ))}
            </div>
          )
          : people.isError && items.length === 0
          ? (
            <div role="alert">
              <Text size="sm" my="xs">{errorText(people.error)}</Text>
              <Button size="compact-sm" variant="light" onClick={() => void people.refetch()}>{t("app.retry")}</Button>
            </div>
          )
          : items.length === 0
          ? <Text size="sm" c="dimmed" mt="sm">{t("people.nobody")}</Text>
          : (
            <ul className={classes.list} aria-label={t("people.title")}>
              {items.map((person) => (
                <li key={person.id} className={classes.row}>
                  <PersonAvatar person={person} size={32} />
                  <bdi className={classes.email}>{person.email ?? t("inbox.unknownSender")}</bdi>
                  <Button
                    variant="subtle"
                    size="compact-sm"
                    aria-label={t("people.removeNamed", { person: person.email ?? t("inbox.unknownSender") })}
                    onClick={() => setLeaving(person)}
                  >
                    {t("people.remove")}
                  </Button>
                </li>
              ))}
            </ul>
          )}
      </div>
      {people.hasNextPage && <ListEnd query={people} />}
      {leaving !== undefined && (
        <ConfirmDialog
          title={t("people.removeTitle", { person: leaving.email ?? t("inbox.unknownSender") })}
          text={t(topic.visibility === "PUBLIC" ? "people.removePublic" : "people.removeInvite", { name: topic.name })}
          action={t("people.remove")}
          onConfirm={() => void removePerson(topic, leaving)}
          onClose={() => setLeaving(undefined)}
        />
      )}
    </Card>
  );
}
