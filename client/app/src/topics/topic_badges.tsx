/** What is special about a topic, in words. */

import { Badge } from "@mantine/core";
import { t } from "../strings/strings.ts";
import type { Topic } from "./topics_data.ts";

export function TopicBadges({ topic: { status, visibility } }: { readonly topic: Topic }) {
  return (
    <>
      {visibility === "INVITE" && (
        <Badge size="sm" variant="default" tt="none" fw={500} flex="none">{t("topics.isInvite")}</Badge>
      )}
      {status === "INACTIVE" && (
        <Badge size="sm" variant="default" tt="none" fw={500} flex="none">{t("topics.isInactive")}</Badge>
      )}
    </>
  );
}
