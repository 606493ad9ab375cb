/** Offers the browser's notifications once something has arrived while one looked: by then one knows what they would be. */

import { Button, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useStore } from "../data/store.ts";
import { onArrival } from "../inbox/inbox_data.ts";
import { t } from "../strings/strings.ts";
import { BellIcon } from "../ui/icons.tsx";
import { canNotify, choose, noticeChoices, turnNotices } from "./notices.ts";
import classes from "./notices_offer.module.css";

export function NoticesOffer() {
  const { notices } = useStore(noticeChoices);
  const [hasArrived, setArrived] = useState(false);
  useEffect(() => onArrival(() => setArrived(true)), []);
  if (notices !== "unasked" || !hasArrived || !canNotify()) return null;
  return (
    <aside className={classes.offer} aria-label={t("notices.offerTitle")}>
      <BellIcon size={18} />
      <Text size="sm" flex="1 1 12rem">{t("notices.offer")}</Text>
      <Button size="compact-sm" onClick={() => void turnNotices(true)}>{t("notices.turnOn")}</Button>
      <Button size="compact-sm" variant="subtle" onClick={() => choose({ notices: "later" })}>
        {t("notices.later")}
      </Button>
    </aside>
  );
}
