/** What a topic's creator may change of it: name, who sees it, for how long it keeps notifications, and whether it is active. */

import "@mantine/core/styles/Switch.css";
import { Button, Group, Stack, Switch, TextInput } from "@mantine/core";
import { type FormEvent, useEffect, useState } from "react";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";
import { setStatus, update } from "./changing.ts";
import { retentionFault, RetentionField } from "./retention_field.tsx";
import type { Topic } from "./topics_data.ts";
import { VisibilityField } from "./visibility_field.tsx";

export function TopicSettingsCard({ topic }: { readonly topic: Topic }) {
  const [name, setName] = useState(topic.name);
  const [visibility, setVisibility] = useState(topic.visibility);
  const [days, setDays] = useState(`${topic.retentionDays}`);
  // What was refused, or changed elsewhere, is shown as it is.
  useEffect(() => setName(topic.name), [topic.name]);
  useEffect(() => setVisibility(topic.visibility), [topic.visibility]);
  useEffect(() => setDays(`${topic.retentionDays}`), [topic.retentionDays]);
  const changed = {
    ...name.trim() !== topic.name ? { name: name.trim() } : {},
    ...visibility !== topic.visibility ? { visibility } : {},
    ...Number(days) !== topic.retentionDays ? { retentionDays: Number(days) } : {},
  };
  const isChanged = Object.keys(changed).length > 0;
  const isActive = topic.status === "ACTIVE";

  function submit(event: FormEvent) {
    event.preventDefault();
    if (isChanged && name.trim() !== "" && retentionFault(days) === undefined) void update(topic, changed);
  }

  return (
    <Card title={t("topic.settings")}>
      <Switch
        checked={isActive}
        label={t("topic.active")}
        description={t("topic.activeHint")}
        onChange={() => void setStatus(topic, isActive ? "INACTIVE" : "ACTIVE")}
        mb="lg"
      />
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <TextInput
            label={t("topics.name")}
            value={name}
            maxLength={100}
            autoComplete="off"
            error={name.trim() === "" ? t("topics.nameMissing") : undefined}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <VisibilityField value={visibility} onChange={setVisibility} />
          <RetentionField value={days} onChange={setDays} />
          <Group justify="flex-end">
            <Button type="submit" disabled={!isChanged}>{t("topic.save")}</Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
