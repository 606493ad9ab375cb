/** The form for a new topic. */

import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { codeOf, errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { createTopic } from "./changing.ts";
import { retentionFault, RetentionField } from "./retention_field.tsx";
import type { Topic } from "./topics_data.ts";
import { VisibilityField } from "./visibility_field.tsx";

const USUAL_DAYS = 30;

export function TopicForm({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [visibility, setVisibility] = useState<Topic["visibility"]>("PUBLIC");
  const [days, setDays] = useState(`${USUAL_DAYS}`);
  const [wrong, setWrong] = useState<string>();
  const [isBusy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (name.trim() === "") return setWrong(t("topics.nameMissing"));
    if (retentionFault(days) !== undefined) return;
    setBusy(true);
    setWrong(undefined);
    try {
      const { id } = await createTopic({ name: name.trim(), visibility, retentionDays: Number(days) });
      // In place of the form: back is where one was before it.
      await navigate({ to: "/topics/$topicId", params: { topicId: id }, replace: true });
    } catch (error) {
      setWrong(codeOf(error) === "CONFLICT" ? t("topics.nameTaken") : errorText(error));
      setBusy(false);
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t("topics.create")}
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <TextInput
            label={t("topics.name")}
            value={name}
            maxLength={100}
            autoComplete="off"
            required
            withAsterisk={false}
            error={wrong}
            data-autofocus
            onChange={(event) => {
              setName(event.currentTarget.value);
              setWrong(undefined);
            }}
          />
          <VisibilityField value={visibility} onChange={setVisibility} />
          <RetentionField value={days} onChange={setDays} />
          <Group justify="flex-end" mt="xs">
            <Button variant="subtle" onClick={onClose}>{t("topics.cancel")}</Button>
            <Button type="submit" loading={isBusy}>{t("topics.createSubmit")}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
