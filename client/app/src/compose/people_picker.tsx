/** Those of a topic's subscribers who are to receive it, found by typing a part of their address. */

import { Group, MultiSelect, Text } from "@mantine/core";
import { useState } from "react";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { MOST_OFFERED, useSubscribers } from "./compose_data.ts";
import type { Recipient } from "./draft.ts";

export interface PeoplePickerProps {
  readonly topicId?: string;
  readonly people: readonly Recipient[];
  readonly error?: string;
  readonly onChange: (people: readonly Recipient[]) => void;
}

export function PeoplePicker({ topicId, people, error, onChange }: PeoplePickerProps) {
  const [typed, setTyped] = useState("");
  const { people: found, isLoading, error: failed } = useSubscribers(topicId, typed);
  const known = new Map([...found, ...people].map((one) => [one.id, one]));
  const label = (one: Recipient) => one.email ?? t("inbox.unknownSender");
  return (
    <MultiSelect
      label={t("compose.people")}
      placeholder={people.length === 0 ? t("compose.peopleHint") : undefined}
      size="md"
      searchable
      openOnFocus={false}
      selectFirstOptionOnChange={found.length > 0}
      hidePickedOptions
      disabled={topicId === undefined}
      withScrollArea={false}
      styles={{ dropdown: { maxBlockSize: 280, overflowY: "auto" } }}
      limit={MOST_OFFERED}
      data={[...known.values()].map((one) => ({ value: one.id, label: label(one) }))}
      filter={({ options }) => {
        const offered = new Set(found.map(({ id }) => id));
        return options.filter((option) => "value" in option && offered.has(option.value)).slice(0, MOST_OFFERED);
      }}
      renderOption={({ option: { value, label } }) => (
        <Group gap="xs" wrap="nowrap">
          <PersonAvatar person={known.get(value) ?? { id: value }} size={24} />
          <Text size="sm" truncate>{label}</Text>
        </Group>
      )}
      value={people.map(({ id }) => id)}
      error={error ?? (failed === null ? undefined : errorText(failed))}
      searchValue={typed}
      onSearchChange={setTyped}
      onChange={(ids) => onChange(ids.map((id) => known.get(id)!))}
      nothingFoundMessage={isLoading ? t("app.loading") : t("compose.noPeople")}
    />
  );
}
