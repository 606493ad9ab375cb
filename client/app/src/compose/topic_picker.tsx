/** One of the viewer's own topics, found by typing. */

import { Anchor, Select, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { type OwnTopic, useOwnTopics } from "./compose_data.ts";

export interface TopicPickerProps {
  readonly chosen?: OwnTopic;
  readonly chosenId?: string;
  readonly error?: string;
  readonly onChoose: (id: string | undefined) => void;
}

export function TopicPicker({ chosen, chosenId, error, onChoose }: TopicPickerProps) {
  const [typed, setTyped] = useState("");
  // What stands in the field after a choice is its name, which isn't searched for.
  const search = typed === chosen?.name ? "" : typed.trim();
  const { data, error: failed, isPending, isFetching } = useOwnTopics(search);
  const offered = chosen === undefined || data?.some(({ id }) => id === chosen.id)
    ? data ?? []
    : [chosen, ...data ?? []];
  if (data?.length === 0 && search === "" && chosenId === undefined) {
    return (
      <Text>
        {t("compose.noTopics")} <Anchor component={Link} to="/topics">{t("compose.toTopics")}</Anchor>
      </Text>
    );
  }
  return (
    <Select
      label={t("compose.topic")}
      placeholder={t("compose.topicHint")}
      size="md"
      searchable
      openOnFocus={false}
      selectFirstOptionOnChange={!isFetching}
      // Who types its name again means it; the cross is there for leaving it.
      allowDeselect={false}
      clearable
      clearButtonProps={{ "aria-label": t("compose.topicClear") }}
      withScrollArea={false}
      styles={{ dropdown: { maxBlockSize: 280, overflowY: "auto" } }}
      data={offered.map(({ id, name, status }) => {
        const label = name ?? t("sent.thisTopic");
        return { value: id, label: status === "INACTIVE" ? t("compose.inactive", { name: label }) : label };
      })}
      // The server has searched, except in what still stands there from before.
      filter={({ options }) =>
        options.filter((option) => "label" in option && option.label.toLowerCase().includes(search.toLowerCase()))}
      value={chosen?.id ?? null}
      error={error ?? (failed === null ? undefined : errorText(failed))}
      onSearchChange={setTyped}
      onChange={(id) => onChoose(id ?? undefined)}
      nothingFoundMessage={isPending ? t("app.loading") : t("compose.noTopicFound")}
    />
  );
}
