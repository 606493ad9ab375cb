/** Who may see a topic and join it. */

import "@mantine/core/styles/Radio.css";
import { Radio, Stack } from "@mantine/core";
import { t } from "../strings/strings.ts";
import type { Topic } from "./topics_data.ts";

export interface VisibilityFieldProps {
  readonly value: Topic["visibility"];
  readonly onChange: (value: Topic["visibility"]) => void;
}

export function VisibilityField({ value, onChange }: VisibilityFieldProps) {
  return (
    <Radio.Group
      label={t("topics.visibility")}
      value={value}
      onChange={(value) => onChange(value as Topic["visibility"])}
    >
      <Stack gap="xs" mt={6}>
        <Radio value="PUBLIC" label={t("topics.public")} description={t("topics.publicHint")} />
        <Radio value="INVITE" label={t("topics.invite")} description={t("topics.inviteHint")} />
      </Stack>
    </Radio.Group>
  );
}
