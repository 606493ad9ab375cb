/** What tells of arrivals while one looks elsewhere, in this browser. */

import { Stack, Switch } from "@mantine/core";
import { useStore } from "../data/store.ts";
import { canNotify, noticeChoices, turnNotices, turnSound } from "../notices/notices.ts";
import { showToast } from "../shell/toasts.ts";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";

export function NoticesCard() {
  const { notices, sound } = useStore(noticeChoices);
  const isOn = notices === "on";
  const toggle = async () => {
    if (!await turnNotices(!isOn) && !isOn) showToast({ text: t("notices.blocked") });
  };
  return (
    <Card title={t("settings.notices")} hint={t("appearance.hint")}>
      <Stack gap="md">
        <Switch
          label={t("notices.on")}
          description={canNotify() ? undefined : t("notices.blocked")}
          checked={isOn}
          onChange={() => void toggle()}
        />
        <Switch label={t("notices.sound")} checked={sound} onChange={() => turnSound(!sound)} />
      </Stack>
    </Card>
  );
}
