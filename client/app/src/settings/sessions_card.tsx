/** Where one is signed in, and the way to end that elsewhere. */

import { Badge, Button, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "../data/errors.ts";
import { t } from "../strings/strings.ts";
import { ConfirmDialog } from "../ui/confirm_dialog.tsx";
import { Card } from "../ui/card.tsx";
import { shortDate, shortTime } from "../ui/relative_time.tsx";
import { endSessions, sessionsQuery } from "./settings_data.ts";
import classes from "./settings_page.module.css";

const SKELETONS = 2;

export function SessionsCard() {
  const { data: sessions, error, refetch } = useQuery(sessionsQuery);
  const [isAsking, setAsking] = useState(false);
  const others = sessions?.filter(({ current }) => !current).length ?? 0;
  const endOthers = others > 0 && (
    <Button variant="default" size="xs" fz="sm" onClick={() => setAsking(true)}>{t("sessions.endOthers")}</Button>
  );
  return (
    <Card title={t("sessions.title")} hint={t("sessions.hint")} action={endOthers}>
      {sessions
        ? (
          <ul className={classes.list} aria-label={t("sessions.title")}>
            {sessions.map((session) => {
              const started = shortTime(new Date(session.startedAt));
              return (
                <li key={session.id} className={classes.row}>
                  <div className={classes.rowText}>
                    <Text size="sm">{t("sessions.since", { date: started })}</Text>
                    <Text size="sm" c="dimmed">
                      {t("sessions.until", { date: shortDate(new Date(session.expiresAt)) })}
                    </Text>
                  </div>
                  {session.current
                    ? <Badge variant="default" tt="none" fw={500} flex="none">{t("sessions.current")}</Badge>
                    : (
                      <Button
                        variant="subtle"
                        size="compact-sm"
                        aria-label={t("sessions.endNamed", { date: started })}
                        onClick={() => void endSessions(session)}
                      >
                        {t("sessions.end")}
                      </Button>
                    )}
                </li>
              );
            })}
          </ul>
        )
        : error
        ? (
          <div role="alert">
            <Text size="sm" mb="xs">{errorText(error)}</Text>
            <Button size="compact-sm" variant="light" onClick={() => void refetch()}>{t("app.retry")}</Button>
          </div>
        )
        : (
          <div role="status" aria-label={t("app.loading")}>
            {Array.from({ length: SKELETONS }, (_, index) => (
              <div key={index} className={classes.row}>
                <Skeleton height={36} width="60%" />
              </div>
            ))}
          </div>
        )}
      {isAsking && (
        <ConfirmDialog
          title={t("sessions.endOthersTitle")}
          text={t("sessions.endOthersText", { count: others })}
          action={t("sessions.endOthers")}
          onConfirm={() => void endSessions()}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}
