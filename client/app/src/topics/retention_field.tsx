/** For how many days a topic's notifications are kept. */

import { TextInput } from "@mantine/core";
import { t } from "../strings/strings.ts";

const MOST_DAYS = 3_650;

export interface RetentionFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** What is wrong with it, in words. */
export function retentionFault(value: string): string | undefined {
  const days = Number(value);
  const isGood = /^\d{1,4}$/.test(value.trim()) && days >= 1 && days <= MOST_DAYS;
  return isGood ? undefined : t("topics.retentionWrong", { most: MOST_DAYS });
}

export function RetentionField({ value, onChange }: RetentionFieldProps) {
  return (
    <TextInput
      label={t("topics.retention")}
      description={t("topics.retentionHint")}
      inputMode="numeric"
      autoComplete="off"
      value={value}
      error={retentionFault(value)}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
