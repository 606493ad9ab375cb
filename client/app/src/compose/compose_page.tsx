/** Writing a notification: to which topic, to whom, and how it will look to those who receive it. */

import "@mantine/core/styles/Pill.css";
import "@mantine/core/styles/PillsInput.css";
import { Alert, Button, SegmentedControl, Textarea, Title } from "@mantine/core";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useId, useState } from "react";
import { useStore } from "../data/store.ts";
import { viewer } from "../session/session.ts";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { SentIcon } from "../ui/icons.tsx";
import { useOwnTopic } from "./compose_data.ts";
import classes from "./compose_page.module.css";
import { changeDraft, draft } from "./draft.ts";
import { send } from "./outgoing.ts";
import { PeoplePicker } from "./people_picker.tsx";
import { Preview } from "./preview.tsx";
import { TopicPicker } from "./topic_picker.tsx";
import { useIsConnected } from "./use_is_connected.ts";

/** As the API counts: by code points, not by what takes two places in a string. */
const MOST_CHARACTERS = 10_000;
/** From here on the number is worth a look. */
const NEARLY = 9_000;
const MOST_PEOPLE = 1_000;

export function ComposePage() {
  const { topic: fromAddress } = useSearch({ from: "/app/compose" });
  const navigate = useNavigate();
  const person = useStore(viewer);
  const written = useStore(draft);
  const [isChecked, setChecked] = useState(false);
  const isConnected = useIsConnected();
  const countId = useId();
  useTitle(t("compose.title"));
  const router = useRouter();
  useEffect(() => {
    // One goes there after sending, perhaps without a connection.
    void router.preloadRoute({ to: "/sent" });
  }, [router]);
  useEffect(() => {
    if (fromAddress !== undefined && fromAddress !== draft.get().topicId) {
      changeDraft({ topicId: fromAddress, people: [] });
    }
  }, [fromAddress]);

  const { topicId, message, toAll, people } = written;
  const topic = useOwnTopic(topicId, person?.id);
  const characters = [...message].length;
  const faults = {
    topic: topicId === undefined
      ? t("compose.topicMissing")
      : topic.data === null
      ? t("compose.topicGone")
      : topic.data?.status === "INACTIVE"
      ? t("compose.topicInactive")
      : undefined,
    people: !toAll && people.length === 0
      ? t("compose.peopleMissing")
      : !toAll && people.length > MOST_PEOPLE
      ? t("compose.peopleTooMany", { most: MOST_PEOPLE })
      : undefined,
    message: characters === 0
      ? t("compose.messageMissing")
      : characters > MOST_CHARACTERS
      ? t("compose.messageLong", { over: characters - MOST_CHARACTERS })
      : undefined,
  };
  // What isn't filled in is said when one tries to send; what is wrong, at once.
  const shown = {
    topic: isChecked || topicId !== undefined ? faults.topic : undefined,
    people: isChecked || people.length > MOST_PEOPLE ? faults.people : undefined,
    message: isChecked || characters > MOST_CHARACTERS ? faults.message : undefined,
  };

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setChecked(true);
    const form = event.currentTarget;
    if (topicId === undefined || Object.values(faults).some((fault) => fault !== undefined)) {
      // The first that is wrong, once it is marked so.
      requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    send({ ...written, topicId }, topic.data?.name ?? t("sent.thisTopic"));
    void navigate({ to: "/sent" });
  }

  const chooseTopic = (id: string | undefined) => {
    changeDraft({ topicId: id, people: [] });
    void navigate({ to: "/compose", search: id === undefined ? {} : { topic: id }, replace: true });
  };

  return (
    <div className={classes.page}>
      <form className={classes.form} onSubmit={submit} noValidate>
        <Title order={1} size="h2">{t("compose.title")}</Title>
        <TopicPicker
          chosen={topic.data ?? undefined}
          chosenId={topicId}
          error={shown.topic}
          onChoose={chooseTopic}
        />
        <div className={classes.to}>
          <span className={classes.label} aria-hidden="true">{t("compose.to")}</span>
          <SegmentedControl
            aria-label={t("compose.to")}
            className={classes.audience}
            value={toAll ? "all" : "people"}
            onChange={(value) => changeDraft({ toAll: value === "all" })}
            data={[
              { value: "all", label: everyone(topic.data?.subscriberCount ?? undefined) },
              { value: "people", label: t("compose.chosen") },
            ]}
          />
          {!toAll && (
            <PeoplePicker
              topicId={topicId}
              people={people}
              error={shown.people}
              onChange={(people) => changeDraft({ people })}
            />
          )}
        </div>
        <div>
          <Textarea
            label={t("compose.message")}
            name="message"
            autosize
            minRows={6}
            maxRows={18}
            size="md"
            required
            withAsterisk={false}
            value={message}
            error={shown.message}
            aria-describedby={countId}
            onChange={(event) => changeDraft({ message: event.currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
              event.preventDefault();
              event.currentTarget.form?.requestSubmit();
            }}
          />
          <p id={countId} className={classes.count} data-over={characters > MOST_CHARACTERS || undefined}>
            {t("compose.characters", { count: characters, most: MOST_CHARACTERS })}
          </p>
          <div className="visually-hidden" role="status">
            {characters > NEARLY && t("compose.charactersLeft", { count: MOST_CHARACTERS - characters })}
          </div>
        </div>
        {!isConnected && <Alert color="yellow" role="status">{t("compose.offline")}</Alert>}
        <div className={classes.actions}>
          <Button type="submit" size="md" leftSection={<SentIcon size={18} />}>{t("compose.send")}</Button>
          <span className={classes.hint}>{t("compose.keys")}</span>
        </div>
      </form>
      <Preview sender={person} topicName={topic.data?.name ?? undefined} message={message} />
    </div>
  );
}

function everyone(subscribers: number | undefined): string {
  return subscribers === undefined ? t("compose.everyone") : t("compose.everyoneOf", { count: subscribers });
}
