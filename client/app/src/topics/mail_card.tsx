/** Whether the viewer gets a topic's notifications by mail. */

import { Card } from "../ui/card.tsx";
import { t } from "../strings/strings.ts";
import { MailFields } from "./mail_fields.tsx";
import type { MailPreference, Topic } from "./topics_data.ts";

export interface MailCardProps {
  readonly topic: Topic;
  readonly preference: MailPreference;
}

export function MailCard(props: MailCardProps) {
  return (
    <Card title={t("mail.title")} hint={t("mail.hint")}>
      <MailFields {...props} />
    </Card>
  );
}
