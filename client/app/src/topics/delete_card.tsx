/** Deleting a topic, after one was told what goes with it. */

import { Button } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";
import { remove } from "./changing.ts";
import { ConfirmDialog } from "../ui/confirm_dialog.tsx";
import type { Topic } from "./topics_data.ts";

export function DeleteCard({ topic }: { readonly topic: Topic }) {
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const { name, subscriberCount } = topic;
  const go = async () => {
    await navigate({ to: "/topics", search: { show: "mine" }, replace: true });
    await remove(topic);
  };
  return (
    <Card title={t("topic.delete")} hint={t("topic.deleteHint")}>
      <Button variant="default" c="var(--mantine-color-error)" onClick={() => setAsking(true)}>
        {t("topic.deleteNow")}
      </Button>
      {isAsking && (
        <ConfirmDialog
          title={t("topic.deleteTitle", { name })}
          text={t("topic.deleteText", { name, count: subscriberCount })}
          action={t("topic.deleteConfirm")}
          onConfirm={() => void go()}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}
