/** Settings: who one is, how the app looks and tells of what arrives, mails, and where one is signed in. */

import { Title } from "@mantine/core";
import { useTitle } from "../shell/title.ts";
import { t } from "../strings/strings.ts";
import { AccountCard } from "./account_card.tsx";
import { AppearanceCard } from "./appearance_card.tsx";
import { MailsCard } from "./mails_card.tsx";
import { NoticesCard } from "./notices_card.tsx";
import { SessionsCard } from "./sessions_card.tsx";
import classes from "./settings_page.module.css";

export function SettingsPage() {
  useTitle(t("settings.title"));
  return (
    <div className={classes.page}>
      <Title order={1} size="h2" mb="md">{t("settings.title")}</Title>
      <div className={classes.cards}>
        <AccountCard />
        <SessionsCard />
        <AppearanceCard />
        <NoticesCard />
        <MailsCard />
      </div>
    </div>
  );
}
