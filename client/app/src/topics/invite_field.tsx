/** Finds people by a part of their address, and invites them to a topic. */

import { Button, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { errorText } from "../data/errors.ts";
import { useStore } from "../data/store.ts";
import { viewer } from "../session/session.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { SearchIcon } from "../ui/icons.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { invite } from "./changing.ts";
import { findPeopleQuery, type Person, type Topic } from "./topics_data.ts";
import classes from "./people_card.module.css";

/** Typing pauses for so long before the server is asked, in milliseconds. */
const TYPING_MS = 250;

export interface InviteFieldProps {
  readonly topic: Topic;
  /** Those that are known to be subscribed. */
  readonly subscribers: readonly Person[];
}

export function InviteField({ topic, subscribers }: InviteFieldProps) {
  const [words, setWords] = useState("");
  const [wanted, setWanted] = useState("");
  const [invited, setInvited] = useState<ReadonlySet<string>>(new Set());
  const me = useStore(viewer)?.id;
  useEffect(() => {
    const timer = setTimeout(() => setWanted(words.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [words]);
  const { data: found, error, isPending } = useQuery(findPeopleQuery(wanted));
  const others = found?.filter(({ id }) => id !== me);

  const add = async (person: Person) => {
    setInvited((before) => new Set([...before, person.id]));
    try {
      await invite(topic, person);
    } catch (error) {
      setInvited((before) => new Set([...before].filter((id) => id !== person.id)));
      const reason = errorText(error);
      showToast({ isError: true, text: t("people.inviteFailed", { person: person.email ?? "", reason }) });
    }
  };

  return (
    <div>
      <TextInput
        type="search"
        label={t("people.invite")}
        description={t(topic.visibility === "INVITE" ? "people.inviteHint" : "people.invitePublicHint")}
        placeholder={t("people.find")}
        leftSection={<SearchIcon size={16} />}
        autoComplete="off"
        value={words}
        maxLength={254}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      <div role="status">
        {wanted !== "" && error !== null && <Text size="sm" mt="xs">{errorText(error)}</Text>}
        {wanted !== "" && others?.length === 0 && (
          <Text size="sm" c="dimmed" mt="xs">{t("people.notFound", { search: wanted })}</Text>
        )}
      </div>
      {wanted !== "" && !isPending && others !== undefined && others.length > 0 && (
        <ul className={classes.found} aria-label={t("people.found")}>
          {others.map((person) => (
            <li key={person.id} className={classes.row}>
              <PersonAvatar person={person} size={32} />
              <bdi className={classes.email}>{person.email ?? t("inbox.unknownSender")}</bdi>
              {subscribers.some(({ id }) => id === person.id)
                ? <span className={classes.note}>{t("people.isSubscribed")}</span>
                : invited.has(person.id)
                ? <span className={classes.note}>{t("people.isInvited")}</span>
                : (
                  <Button
                    size="compact-sm"
                    variant="light"
                    aria-label={t("people.inviteNamed", { person: person.email ?? t("inbox.unknownSender") })}
                    onClick={() => void add(person)}
                  >
                    {t("people.inviteDo")}
                  </Button>
                )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
