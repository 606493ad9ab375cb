/** The choice of mails of one topic; each choice holds at once. */

import { NativeSelect, Stack } from "@mantine/core";
import { t } from "../strings/strings.ts";
import { setMailPreference } from "./changing.ts";
import type { MailPreference, Topic } from "./topics_data.ts";

const PREFERENCES = ["NEVER", "WHEN_AWAY", "ALWAYS", "DIGEST"] as const;
/** How long an acknowledgement is waited for, in minutes. */
const WAITS = [0, 5, 10, 30, 60, 240, 1_440];

export interface MailFieldsProps {
  readonly topic: Topic;
  readonly preference: MailPreference;
}

export function MailFields({ topic, preference: chosen }: MailFieldsProps) {
  const { preference, every, afterMinutes } = chosen;
  const choose = (change: Partial<MailPreference>) => void setMailPreference(topic, { ...chosen, ...change });
  // It may have been set to another one elsewhere.
  const waits = [...new Set([...WAITS, afterMinutes])].sort((one, other) => one - other);
  return (
    <Stack gap="sm">
      <NativeSelect
        aria-label={t("mail.of", { name: topic.name })}
        value={preference}
        data={PREFERENCES.map((value) => ({ value, label: t(`mail.${value}`) }))}
        onChange={(event) => choose({ preference: event.currentTarget.value as MailPreference["preference"] })}
      />
      {preference === "DIGEST" && (
        <NativeSelect
          label={t("mail.every")}
          value={every}
          data={(["HOUR", "DAY"] as const).map((value) => ({ value, label: t(`mail.every.${value}`) }))}
          onChange={(event) => choose({ every: event.currentTarget.value as MailPreference["every"] })}
        />
      )}
      {preference === "WHEN_AWAY" && (
        <NativeSelect
          label={t("mail.after")}
          value={`${afterMinutes}`}
          data={waits.map((minutes) => ({ value: `${minutes}`, label: waitText(minutes) }))}
          onChange={(event) => choose({ afterMinutes: Number(event.currentTarget.value) })}
        />
      )}
    </Stack>
  );
}

function waitText(minutes: number): string {
  return minutes > 0 && minutes % 60 === 0
    ? t("mail.hours", { count: minutes / 60 })
    : t("mail.minutes", { count: minutes });
}
